import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Problem, problem } from "../contract/common.ts";
import { AwoooiError, ERRORS, type ErrorCode, messageOf } from "../lib/error.ts";
import { systemRandom } from "../lib/id.ts";
import type { UrlPath } from "../lib/url-path.ts";
import type { CliIo } from "./io.ts";

/** The server's URL, and the token sent with calls. */
export type Server = { url: string; token: string | undefined };

/** A server's answer: its text as received, and parsed; null when the body was empty. */
export type Answer = { text: string; json: unknown };

/** Thrown for a problem that the server reported. */
export class ServerProblem extends Error {
  readonly problem: Problem;
  /** The server's own JSON. */
  readonly text: string;
  /** Seconds, from the answer's `retry-after` header. */
  readonly retryAfter: string | null;

  constructor(told: Problem, text: string, retryAfter: string | null) {
    super(told.detail);
    this.name = "ServerProblem";
    this.problem = told;
    this.text = text;
    this.retryAfter = retryAfter;
  }
}

type Settings = { url?: string; tokenFile?: string };

const DEFAULT_URL = "http://127.0.0.1:8000";
// Longer than any wait of the server before it answers.
const TIMEOUT_MS = 30_000;

function baseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new AwoooiError(
      "invalid",
      `${text} is not a server's URL: it must begin with http:// or https://.`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new AwoooiError(
      "invalid",
      "The URL must not contain a user or password: set the token in AWOOOI_TOKEN.",
    );
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function tokenIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new AwoooiError("invalid", `The token file cannot be read: ${messageOf(error)}.`);
  }
  return text;
}

function checkedToken(token: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new AwoooiError("invalid", `${from} contains no token: a token is one word, without spaces.`);
}

/** Returns the secret in the variable NAME, or in the file that NAME_FILE names; undefined when neither is set. */
export function secretOf(env: CliIo["env"], name: string): string | undefined {
  const value = env[name];
  if (value) return checkedToken(value.trim(), name);
  const file = env[`${name}_FILE`];
  return file ? checkedToken(tokenIn(file), file) : undefined;
}

/** Returns the server from options and environment; options take precedence. Throws `invalid`. */
export function serverOf(options: Settings, env: CliIo["env"]): Server {
  const { tokenFile, url } = options;
  return {
    url: baseUrl(url ?? (env.AWOOOI_URL || DEFAULT_URL)),
    token:
      tokenFile === undefined ? secretOf(env, "AWOOOI_TOKEN") : checkedToken(tokenIn(tokenFile), tokenFile),
  };
}

const NOTHING_SENT: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "host not found",
  EAI_AGAIN: "its name cannot be resolved now",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to its network",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
};

function unreachable(server: Server, method: string, error: unknown): AwoooiError {
  const cause = (error as { cause?: { code?: string } }).cause;
  const known = NOTHING_SENT[cause?.code ?? ""];
  const timedOut = (error as Error).name === "TimeoutError";
  const why = timedOut ? `no answer within ${TIMEOUT_MS / 1000} s` : messageOf(cause ?? error);
  const doubt =
    method === "GET" || known !== undefined ? "" : " It may have been done: check before you repeat it.";
  const advice = "`awoooi serve` starts a server; --url or AWOOOI_URL names another.";
  return new AwoooiError(
    "unavailable",
    `${server.url} cannot be reached (${known ?? why}).${doubt} ${advice}`,
  );
}

function codeOf(status: number): ErrorCode {
  if ([502, 503, 504].includes(status)) return "unavailable";
  const found = Object.entries(ERRORS).find(([, entry]) => entry.status === status);
  if (found !== undefined) return found[0] as ErrorCode;
  return status >= 400 && status < 500 ? "invalid" : "internal";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure(server: Server, response: Response, text: string): Error {
  const told = problem.safeParse(parseJson(text));
  if (told.success) return new ServerProblem(told.data, text, response.headers.get("retry-after"));
  const to = response.headers.get("location");
  const where = to === null ? "" : `, which leads to ${to}`;
  const words = `${server.url} answered ${response.status}${where}, which is not AWOOOI's answer: check the URL.`;
  return new AwoooiError(codeOf(response.status), words);
}

/** Returns whether the connection broke after it was made: the request may have been carried out, its answer is lost. */
function wasCutOff(error: unknown): boolean {
  const code = (error as { cause?: { code?: string } }).cause?.code ?? "";
  return (error as Error).name === "TypeError" && NOTHING_SENT[code] === undefined;
}

/**
 * Calls the server. If the answer to a write is lost, retries once with the same `Idempotency-Key`, so that it
 * takes effect once. `path` is below /api/v1 and `body` is JSON text. Throws {@link ServerProblem} for the
 * server's refusals and `unavailable` when it cannot be reached.
 */
export async function request(
  server: Server,
  method: "GET" | "POST" | "PUT" | "DELETE",
  path: UrlPath,
  more: { query?: Record<string, string | number | undefined>; body?: string } = {},
): Promise<Answer> {
  const url = new URL(`${server.url}/api/v1${path}`);
  for (const [name, value] of Object.entries(more.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const headers: Record<string, string> = { accept: "application/json" };
  if (server.token !== undefined) headers.authorization = `Bearer ${server.token}`;
  if (more.body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["idempotency-key"] = systemRandom(16).toString("hex");
  const ask = async () => {
    const response = await fetch(url, {
      method,
      headers,
      body: more.body ?? null,
      // Following a redirect would turn a POST into a GET, and send the token along.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { response, text: await response.text() };
  };
  const { response, text } = await ask()
    .catch((first: unknown) => {
      if (method === "GET" || !wasCutOff(first)) throw first;
      return ask().catch(() => {
        throw first;
      });
    })
    .catch((error: unknown) => {
      throw unreachable(server, method, error);
    });
  if (!response.ok) throw failure(server, response, text);
  if (text === "") return { text: "null", json: null };
  const json = parseJson(text);
  if (json === undefined) throw failure(server, response, text);
  return { text, json };
}

/** Parses the answer by a schema of the contract; throws `internal` when it does not fit. */
export function parseAnswer<T extends z.ZodType>(schema: T, answer: Answer): z.infer<T> {
  const parsed = schema.safeParse(answer.json);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  throw new AwoooiError(
    "internal",
    "This version cannot read the server's answer: update the older of the two.",
    { errors },
  );
}

const items = z.object({ items: z.array(z.unknown()) });

/** Returns the entries of a list, each as the server sent it. */
export function itemsOf(answer: Answer): unknown[] {
  return parseAnswer(items, answer).items;
}
