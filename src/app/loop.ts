import { messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { wait } from "../lib/wait.ts";

/**
 * Runs `work` again and again, `seconds()` after its last end; an error is logged and the next run comes.
 * To stop it aborts the signal that `work` is given, and waits for the end of the run.
 */
export function startLoop(
  name: string,
  seconds: () => number,
  log: Log,
  work: (stopping: AbortSignal) => Promise<unknown>,
): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    let failing = false;
    while (!stop.signal.aborted) {
      try {
        await work(stop.signal);
        failing = false;
      } catch (error) {
        // Once for each spell of failures: a database that is away for an hour is one line.
        if (!failing) log.error({ error: messageOf(error) }, `${name} failed; it goes on`);
        failing = true;
      }
      await wait(seconds() * 1000, stop.signal);
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}
