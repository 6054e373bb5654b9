import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIP } from "node:net";
import { messageOf } from "../../../lib/error.ts";
import type { ProbeConfig } from "./config.ts";

/** Result of a probe. `asked: false`: the request never reached the network. */
export type Probed = { asked: boolean; ok: boolean; message: string };

const BODY_LIMIT = 64 * 1024;

/** Reads at most 64 KiB of the body: a server that begins to answer and then hangs is not healthy. */
async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > BODY_LIMIT) return;
  }
}

const WORDS: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  UND_ERR_SOCKET: "connection closed without an answer",
};

// System errors caused by the other end. All others are local: no name, no route, no file descriptor or port left.
const THEIRS = ["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "EPROTO", "ETIMEDOUT"];
// Errors of the HTTP client itself: the request was never sent.
const OURS = /^(UND_ERR_(INVALID|NOT_SUPPORTED|ABORTED|DESTROYED|CLOSED)|ERR_INVALID)/;

/** Returns whether an error was caused by the server, which counts as an answer. */
function isAnswer(error: NodeJS.ErrnoException): boolean {
  const { code, syscall, name } = error;
  if (syscall !== undefined) return THEIRS.includes(code ?? "");
  if (code === undefined) return name === "HTTPParserError";
  return !OURS.test(code);
}

/** Returns the underlying error; of the errors of several addresses, one that the server caused, if any. */
function causeOf(error: unknown): NodeJS.ErrnoException {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const each: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  const all = each.map((one) => (one instanceof Error ? one : new Error(messageOf(one))));
  return all.find(isAnswer) ?? all[0] ?? new Error(messageOf(cause));
}

const unasked = (why: string): Probed => ({ asked: false, ok: false, message: `cannot be called: ${why}` });
const timedOut = (timeout: number): Probed => ({
  asked: true,
  ok: false,
  message: `timed out after ${timeout} ms`,
});
const isTimeout = (error: unknown) => error instanceof Error && error.name === "TimeoutError";

/** Returns why the host name in a URL was not resolved in time; undefined: it was, or it is an address. */
async function nameless(url: string, signal: AbortSignal, timeout: number): Promise<string | undefined> {
  const { hostname } = new URL(url);
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return undefined;
  const late = once(signal, "abort").then(() => `${hostname} was not resolved within ${timeout} ms`);
  return Promise.race([lookup(hostname).then(() => undefined, messageOf), late]);
}

/** Sends the probe once. Redirects are not followed: they count as answers. Never throws. */
export async function sendProbe({ url, timeout_ms, expect_status }: ProbeConfig): Promise<Probed> {
  const started = performance.now();
  const signal = AbortSignal.timeout(timeout_ms);
  // Resolved separately: a slow or failing name server is not the process's fault.
  const why = await nameless(url, signal, timeout_ms);
  if (why !== undefined) return unasked(why);
  try {
    const response = await fetch(url, {
      signal,
      redirect: "manual",
      // A kept-alive connection could lead to the process that has just ended.
      headers: { connection: "close", "user-agent": "awoooi" },
    });
    return await answered(response, { started, timeout_ms, expect_status });
  } catch (error) {
    if (isTimeout(error)) return timedOut(timeout_ms);
    const cause = causeOf(error);
    const message = WORDS[cause.code ?? ""] ?? messageOf(cause);
    return isAnswer(cause) ? { asked: true, ok: false, message } : unasked(message);
  }
}

type SentProbe = { started: number } & Pick<ProbeConfig, "timeout_ms" | "expect_status">;

/** Reads the body and judges the response; errors here count as asked, since the server began to answer. */
async function answered(
  response: Response,
  { started, timeout_ms, expect_status }: SentProbe,
): Promise<Probed> {
  try {
    await drain(response.body);
  } catch (error) {
    if (isTimeout(error)) return timedOut(timeout_ms);
    const { code = "", message } = causeOf(error);
    return { asked: true, ok: false, message: WORDS[code] ?? message };
  }
  const ok = response.status === expect_status;
  const took = `answered ${response.status} in ${Math.round(performance.now() - started)} ms`;
  return { asked: true, ok, message: ok ? took : `${took}, not ${expect_status}` };
}
