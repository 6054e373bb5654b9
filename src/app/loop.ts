import { messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { wait } from "../lib/wait.ts";

/**
 * Runs `work` repeatedly, `seconds()` after the end of the previous run; errors are logged. Returns a function
 * that stops the loop: it aborts the signal passed to `work` and waits for the current run.
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
        // Logged once per series of failures: an hour without the database is one line.
        if (!failing) log.error({ error: messageOf(error) }, `${name} failed; it continues`);
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
