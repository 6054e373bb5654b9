import { pagerdutyInvalid } from "../../src/adapters/sources/pagerduty/wire.ts";
import { problem } from "../../src/contract/common.ts";
import { ERRORS, type ErrorCode } from "../../src/lib/error.ts";

export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; text: string };

const TRACE = /\bat .{1,200}\.(ts|js|mjs|cjs):\d+|node:internal|node_modules/;
const PASSWORD = /root:x:0:0/;

function wrongProblem({ status, headers, text }: Answer): string | undefined {
  const type = String(headers["content-type"] ?? "");
  if (!type.startsWith("application/problem+json")) return `an error of type "${type}"`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "an error that is not JSON";
  }
  const parsed = problem.safeParse(value);
  if (!parsed.success) return "an error that is not a problem as the contract has it";
  const { code, status: said, detail } = parsed.data;
  if (said !== status) return `a problem that says ${said}`;
  if (!Object.hasOwn(ERRORS, code)) return `a problem with the unknown code ${code}`;
  if (ERRORS[code as ErrorCode].status !== status) return `a problem with the code ${code}`;
  return detail.length > 0 ? undefined : "a problem without a word";
}

/** Whether an error is in the form of the vendor whose API it is. */
function isVendors(path: string, { status, headers, text }: Answer): boolean {
  if (!String(headers["content-type"]).startsWith("application/json")) return false;
  const silences = path.startsWith("/api/v2/silence");
  // Alertmanager answers what is not there with nothing, and a silence that is over already with 500.
  if (text === "") return silences && status === 404;
  try {
    const value: unknown = JSON.parse(text);
    if (silences) return status <= 500 && typeof value === "string" && value !== "";
    return path.includes("/pagerduty/") && status === 400 && pagerdutyInvalid.safeParse(value).success;
  } catch {
    return false;
  }
}

/** What is wrong with an answer; undefined when it is as specified. */
export function judge(method: string, path: string, answer: Answer): string | undefined {
  const { status, headers, text } = answer;
  if (TRACE.test(text)) return "a stack trace";
  if (PASSWORD.test(text)) return "a file of the machine";
  if (status >= 400 && isVendors(path, answer)) return undefined;
  if (status >= 500 && status !== 503) return `a ${status}`;
  if (status === 503 && !path.includes("/health") && !(Number(headers["retry-after"]) > 0))
    return "a 503 without Retry-After";
  if (status >= 300 && status < 400) return "a redirection";
  if (method === "HEAD" || status < 300) return undefined;
  if (status === 503 && path.includes("/health")) return undefined;
  return wrongProblem(answer);
}

/** The same for the answers in what a socket gave back; nothing at all is an answer too. */
export function judgeRaw(text: string): { statuses: number[]; wrong: string | undefined } {
  const found = [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n([\s\S]*?)\r\n\r\n/g)];
  if (text !== "" && !text.startsWith("HTTP/1.1 "))
    return { statuses: [], wrong: "something that is not HTTP" };
  const statuses = found.map((match) => Number(match[1]));
  for (const [index, match] of found.entries()) {
    const status = Number(match[1]);
    const begin = (match.index ?? 0) + match[0].length;
    const rest = text.slice(begin, found[index + 1]?.index ?? text.length);
    const headers = Object.fromEntries(
      (match[2] ?? "").split("\r\n").map((line) => {
        const [name = "", ...value] = line.split(": ");
        return [name.toLowerCase(), value.join(": ")] as const;
      }),
    );
    if (status === 100 || status === 417) continue;
    const body =
      headers["content-length"] === undefined ? rest : rest.slice(0, Number(headers["content-length"]));
    const wrong = judge("GET", "", { status, headers, text: Buffer.from(body, "latin1").toString("utf8") });
    if (wrong !== undefined) return { statuses, wrong };
  }
  return { statuses, wrong: undefined };
}
