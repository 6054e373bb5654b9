import { setTimeout as delay } from "node:timers/promises";

/** Resolves to `work`, or rejects with an error that names `what` after `seconds`. `work` is not cancelled. */
export async function withTimeout<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = wait(seconds * 1000, over.signal).then((): never => {
    throw new Error(`${what} timed out after ${seconds} s`);
  });
  // If `work` ends first, the aborted wait still throws, and the rejection must not go unhandled.
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Waits; resolves at once, without an error, when `signal` is aborted. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? undefined : { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
