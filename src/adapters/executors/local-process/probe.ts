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

function failure(error: unknown, timeout: number): Probed {
  if (error instanceof Error && error.name === "TimeoutError") {
    return { asked: true, ok: false, message: `timed out after ${timeout} ms` };
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const { code = "" } = cause as NodeJS.ErrnoException;
  const message = WORDS[code] ?? messageOf(cause);
  const asked = code !== "" && !/^(ENOTFOUND|EAI_)/.test(code);
  return { asked, ok: false, message: asked ? message : `cannot be asked: ${message}` };
}

/** Asks once. Redirects are answers like any other. Never throws. */
export async function ask({ url, timeout_ms, expect_status }: ProbeConfig): Promise<Probed> {
  const started = performance.now();
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeout_ms),
      redirect: "manual",
      // A kept connection could be one to the process that has just ended.
      headers: { connection: "close", "user-agent": "awoooi" },
    });
    await drain(response.body);
    const ok = response.status === expect_status;
    const took = `answered ${response.status} in ${Math.round(performance.now() - started)} ms`;
    return { asked: true, ok, message: ok ? took : `${took}, not ${expect_status}` };
  } catch (error) {
    return failure(error, timeout_ms);
  }
}
