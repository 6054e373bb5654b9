// A success adds a quarter of the missing trust: three in a row make 0.58.
const STEP = 0.25;

/** Returns the trust after a run: a verified one moves it towards 1, a failed one sets it to 0. Pure. */
export function trustAfter(trust: number, success: boolean): number {
  return success ? trust + (1 - trust) * STEP : 0;
}
