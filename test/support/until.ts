import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until there is an answer: for what another process does and tells nobody. Throws,
 * with what was waited for, after `seconds`.
 */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  seconds = 20,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= end) throw new Error(`waited ${seconds} s for ${what}`, { cause: last });
    await delay(25);
  }
}
