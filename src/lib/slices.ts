import { setImmediate } from "node:timers/promises";

// Nobody else waits for longer than this for a turn, whatever is being worked off.
const SLICE_MS = 5;

/** Drives work that takes long to its end, resting between two of its steps now and then: requests are answered meanwhile. */
export async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
  for (let since = performance.now(); ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - since < SLICE_MS) continue;
    await setImmediate();
    since = performance.now();
  }
}
