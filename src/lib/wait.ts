import { setTimeout as delay } from "node:timers/promises";

/** `work`, or an error that says what did not come within `seconds`. What it was at goes on unwatched. */
export async function withTimeout<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = wait(seconds * 1000, over.signal).then((): never => {
    throw new Error(`${what} timed out after ${seconds} s`);
  });
  // When the work wins, the wait ends early and its error is nobody's.
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Waits; ends at once, without an error, when `signal` is aborted. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? undefined : { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
