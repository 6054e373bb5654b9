import { setTimeout as delay } from "node:timers/promises";

/**
 * Seconds after which nothing is waited for any more. It only ends what would wait for ever: far more than a slow
 * and busy machine takes, and less than a test may.
 */
const PATIENCE = 120;
const PAUSE_MS = 25;

/**
 * Asserts again and again until it holds: for what comes bit by bit, where one thing that is there does not say that
 * the others are. Throws what was wrong last.
 */
export async function eventually<T>(assert: () => Promise<T>, seconds = PATIENCE): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await assert();
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await delay(PAUSE_MS);
  }
}

/**
 * For a bound that is waited out, so that it should be short, and within which something must come about first: tries
 * with `milliseconds`, and with four times as many until `attempt` tells that it was long enough.
 */
export async function longEnough(
  milliseconds: number,
  attempt: (milliseconds: number) => Promise<boolean>,
): Promise<void> {
  for (let bound = milliseconds; !(await attempt(bound)); bound *= 4)
    if (bound > PATIENCE * 1000) throw new Error(`${bound} ms were not long enough`);
}

/**
 * Asks again and again until there is an answer: for what another process does and tells nobody. Throws,
 * with what was waited for and what stood in the way last, after `seconds`.
 */
export function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  seconds = PATIENCE,
): Promise<T> {
  return eventually(async () => {
    const missed = (cause?: unknown) => new Error(`waited ${seconds} s for ${what}`, { cause });
    let answer: T | undefined | false;
    try {
      answer = await ask();
    } catch (error) {
      throw missed(error);
    }
    if (answer === undefined || answer === false) throw missed();
    return answer;
  }, seconds);
}
