// A quarter of what is missing: three verified runs in a row make 0.58.
const STEP = 0.25;

/** Trust after a run: it grows towards 1 with every verified one, and one that failed takes all of it. Pure. */
export function trustAfter(trust: number, success: boolean): number {
  return success ? trust + (1 - trust) * STEP : 0;
}
