import type { ClientChannel } from "ssh2";
import { messageOf } from "../../../../lib/error.ts";
import { inLine } from "../text.ts";
import type { Connection } from "./connect.ts";
import { Output } from "./output.ts";

export type RunTerms = {
  /** Timeout in seconds. */
  seconds: number;
  /** Bytes of output that are kept. */
  limit: number;
  signal?: AbortSignal | undefined;
};

/** Result of a command. `sent: false`: it was never sent; else it may have run, partly or completely. */
export type CommandResult =
  | { kind: "exited"; code: number; stdout: string; stderr: string; dropped: number }
  | { kind: "failed"; sent: boolean; error: string; stderr: string };

// Time between SIGTERM to a command and the closing of its channel.
const GRACE_MS = 1_000;

type Ended = { code: number | null; signal: string | null };

/** Waits for a command to end; on timeout or cancellation sends SIGTERM, then closes its channel. */
function finish(
  channel: ClientChannel,
  over: Promise<void>,
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
    over.then(done, done);
    if (signal?.aborted) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
  });
}

/** Collects a command's output until it ends. Listeners are attached before the first event can arrive. */
async function follow(channel: ClientChannel, over: Promise<void>, terms: RunTerms): Promise<CommandResult> {
  const out = new Output(terms.limit);
  const err = new Output(Math.min(terms.limit, 64 * 1024));
  channel.on("data", (chunk: Buffer) => out.add(chunk));
  channel.stderr.on("data", (chunk: Buffer) => err.add(chunk));
  channel.on("error", () => {});
  const { ended, stopped } = await finish(channel, over, terms);
  const stderr = err.text();
  const unknown = (error: string): CommandResult => ({ kind: "failed", sent: true, error, stderr });
  if (stopped !== null) return unknown(`${stopped}, and was terminated`);
  if (ended === null) return unknown("connection reset while the command ran: its outcome is unknown");
  if (ended.code === null) return unknown(`ended by signal ${inLine(ended.signal ?? "", 20)}`);
  return { kind: "exited", code: ended.code, stdout: out.text(), stderr, dropped: out.dropped };
}

/** Ends a command that the host accepted after its caller had given up. */
function end(channel: ClientChannel): void {
  channel.on("error", () => {});
  channel.resume().stderr.resume();
  channel.signal("TERM");
  channel.close();
}

/**
 * Runs one command line on a host, in its own session. Never throws. Without an exit code the outcome is unknown:
 * the connection was cut, or the command timed out.
 */
export function runLine(connection: Connection, line: string, terms: RunTerms): Promise<CommandResult> {
  const { client, over } = connection;
  const { seconds, signal } = terms;
  const failed = (sent: boolean, error: string): CommandResult => ({
    kind: "failed",
    sent,
    error,
    stderr: "",
  });
  if (signal?.aborted) return Promise.resolve(failed(false, "cancelled"));
  return new Promise((resolve) => {
    let closing: NodeJS.Timeout | undefined;
    let given = false;
    const complete = (ran: CommandResult | Promise<CommandResult>) => {
      given = true;
      clearTimeout(late);
      clearTimeout(closing);
      signal?.removeEventListener("abort", cancel);
      resolve(ran);
    };
    // The host may have received the command anyway and be slow to confirm it.
    const give = (why: string) => complete(failed(true, `${why} before the host accepted the command`));
    const late = setTimeout(() => {
      give(`timed out after ${seconds} s`);
      client.destroy();
      connection.close();
    }, seconds * 1000);
    const cancel = () => {
      closing = setTimeout(() => give("cancelled"), GRACE_MS);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    const refused = (error: Error & { reason?: unknown }) => {
      // `reason` is set when the host refused to open a session: no command was sent then. Otherwise it may have been.
      complete(
        failed(error.reason === undefined, `the command was not accepted: ${inLine(messageOf(error))}`),
      );
    };
    try {
      // stdin is redirected on the host: ending it here would close the channel and lose the exit code.
      client.exec(`${line} </dev/null`, (error: Error | undefined, channel) => {
        if (error !== undefined) refused(error);
        else if (given) end(channel);
        else complete(follow(channel, over, terms));
      });
    } catch (error) {
      complete(failed(false, inLine(messageOf(error))));
    }
  });
}
