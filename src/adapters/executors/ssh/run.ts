import type { ClientChannel } from "ssh2";
import { messageOf } from "../../../lib/error.ts";
import type { Connection } from "./connect.ts";
import { Output } from "./output.ts";
import { inLine } from "./text.ts";

export type RunTerms = {
  /** Seconds after which it is ended. */
  seconds: number;
  /** Bytes of output that are kept. */
  limit: number;
  signal?: AbortSignal | undefined;
};

/** What came of a command. `sent: false`: it was never sent; else it may have run, in part or as a whole. */
export type Ran =
  | { kind: "exited"; code: number; stdout: string; stderr: string; dropped: number }
  | { kind: "failed"; sent: boolean; error: string; stderr: string };

// For a command that is asked to end, before its channel is closed.
const GRACE_MS = 1_000;

type Ended = { code: number | null; signal: string | null };

/** Opens a session and sends the command; an error says whether it was sent. */
function open(
  { client }: Connection,
  line: string,
): Promise<{ channel: ClientChannel } | { error: string; sent: boolean }> {
  return new Promise((resolve) => {
    try {
      client.exec(line, (error: (Error & { reason?: unknown }) | undefined, channel) => {
        if (error === undefined) return resolve({ channel });
        // A session that the host would not open was never given a command; anything else may have been.
        resolve({ error: inLine(messageOf(error)), sent: error.reason === undefined });
      });
    } catch (error) {
      resolve({ error: inLine(messageOf(error)), sent: false });
    }
  });
}

/** Waits for the end of a command; one that takes too long is told to end, then its channel is closed. */
function finish(
  channel: ClientChannel,
  { seconds, signal }: RunTerms,
): Promise<{ ended: Ended | null; stopped: string | null }> {
  return new Promise((resolve) => {
    let ended: Ended | null = null;
    let stopped: string | null = null;
    let closing: NodeJS.Timeout | undefined;
    const stop = (why: string) => {
      if (stopped !== null || ended !== null) return;
      stopped = why;
      channel.signal("TERM");
      closing = setTimeout(() => {
        channel.close();
        done();
      }, GRACE_MS);
    };
    const late = setTimeout(() => stop(`timed out after ${seconds} s`), seconds * 1000);
    const cancel = () => stop("cancelled");
    const done = () => {
      clearTimeout(late);
      clearTimeout(closing);
      signal?.removeEventListener("abort", cancel);
      resolve({ ended, stopped });
    };
    channel.on("exit", (code: number | null, name?: string) => {
      ended = { code, signal: name ?? null };
    });
    channel.on("close", done);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

/**
 * Runs one line on a host, in a session of its own. Never throws. Without an exit code the outcome is not known:
 * the connection was cut, or it took too long.
 */
export async function runLine(connection: Connection, line: string, terms: RunTerms): Promise<Ran> {
  if (terms.signal?.aborted) return { kind: "failed", sent: false, error: "cancelled", stderr: "" };
  const opened = await open(connection, line);
  if ("error" in opened) {
    const { error, sent } = opened;
    return { kind: "failed", sent, error: `the command was not taken: ${error}`, stderr: "" };
  }
  const { channel } = opened;
  const out = new Output(terms.limit);
  const err = new Output(Math.min(terms.limit, 64 * 1024));
  channel.on("data", (chunk: Buffer) => out.add(chunk));
  channel.stderr.on("data", (chunk: Buffer) => err.add(chunk));
  channel.on("error", () => {});
  // What it reads of its input is the end of it.
  channel.end();
  const { ended, stopped } = await finish(channel, terms);
  const stderr = err.text();
  const unknown = (error: string): Ran => ({ kind: "failed", sent: true, error, stderr });
  if (stopped !== null) return unknown(`${stopped}, and was ended`);
  if (ended === null) return unknown("connection reset while the command ran: its outcome is not known");
  if (ended.code === null) return unknown(`ended by signal ${inLine(ended.signal ?? "", 20)}`);
  return { kind: "exited", code: ended.code, stdout: out.text(), stderr, dropped: out.dropped };
}
