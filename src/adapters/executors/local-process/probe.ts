import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIP } from "node:net";
import { messageOf } from "../../../lib/error.ts";
import type { ProbeConfig } from "./config.ts";

/** What came of asking. `asked: false` when the question did not get as far as the network. */
export type Probed = { asked: boolean; ok: boolean; message: string };

const BODY_LIMIT = 64 * 1024;

/** Reads a bounded part of the body: one that begins to answer and then hangs is not healthy. */
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

// Of what the system says of a connection, what whoever is there did. All else is our own: no name, no route, no file or port left.
const THEIRS = ["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "EPROTO", "ETIMEDOUT"];
// Of the client itself: the question was never put.
const OURS = /^(UND_ERR_(INVALID|NOT_SUPPORTED|ABORTED|DESTROYED|CLOSED)|ERR_INVALID)/;

/** Whether an error is somebody's answer, be it a bad one. */
function isAnswer(error: NodeJS.ErrnoException): boolean {
  const { code, syscall, name } = error;
  if (syscall !== undefined) return THEIRS.includes(code ?? "");
  if (code === undefined) return name === "HTTPParserError";
  return !OURS.test(code);
}

/** What stood in the way: of the several addresses of a name, what one of them answered. */
function causeOf(error: unknown): NodeJS.ErrnoException {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const each: unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
  const all = each.map((one) => (one instanceof Error ? one : new Error(messageOf(one))));
  return all.find(isAnswer) ?? all[0] ?? new Error(messageOf(cause));
}

const unasked = (why: string): Probed => ({ asked: false, ok: false, message: `cannot be asked: ${why}` });
const timedOut = (timeout: number): Probed => ({
  asked: true,
  ok: false,
  message: `timed out after ${timeout} ms`,
});
const isTimeout = (error: unknown) => error instanceof Error && error.name === "TimeoutError";

/** Why the name in a URL leads to no address within the time; undefined: it does, or is one. */
async function nameless(url: string, signal: AbortSignal, timeout: number): Promise<string | undefined> {
  const { hostname } = new URL(url);
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return undefined;
  const late = once(signal, "abort").then(() => `${hostname} was not resolved within ${timeout} ms`);
  return Promise.race([lookup(hostname).then(() => undefined, messageOf), late]);
}

/** Asks once. Redirects are answers like any other. Never throws. */
export async function ask({ url, timeout_ms, expect_status }: ProbeConfig): Promise<Probed> {
  const started = performance.now();
  const signal = AbortSignal.timeout(timeout_ms);
  // Apart from the question, for the time that a name takes is not that of the process.
  const why = await nameless(url, signal, timeout_ms);
  if (why !== undefined) return unasked(why);
  try {
    const response = await fetch(url, {
      signal,
      redirect: "manual",
      // A kept connection could be one to the process that has just ended.
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

type Asked = { started: number } & Pick<ProbeConfig, "timeout_ms" | "expect_status">;

/** What a response says when its body has been read: whoever has begun to answer was asked. */
async function answered(response: Response, { started, timeout_ms, expect_status }: Asked): Promise<Probed> {
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
