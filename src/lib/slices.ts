import { setImmediate } from "node:timers/promises";

// The event loop is released at the first step that ends after this time.
const SLICE_MS = 5;

/** Runs a long computation step by step, and yields to the event loop about every 5 ms so that requests are answered. */
export async function runInSlices<T>(steps: Generator<void, T>): Promise<T> {
  for (let since = performance.now(); ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - since < SLICE_MS) continue;
    await setImmediate();
    since = performance.now();
  }
}
