import { createHash, randomInt } from "node:crypto";
import type { Random } from "../../src/lib/id.ts";

/** The run's seed: `AWOOOI_TEST_SEED` repeats an earlier run. */
export const SEED = Number(process.env.AWOOOI_TEST_SEED ?? randomInt(2 ** 31));

/** Bytes from a counter and the seed: the same sequence for the same seed. */
export function seededRandom(seed: number | string = SEED): Random {
  let count = 0;
  return (size) => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < size; have += 32) {
      count += 1;
      blocks.push(createHash("sha256").update(`${seed}:${count}`).digest());
    }
    return Buffer.concat(blocks).subarray(0, size);
  };
}

/** A whole number from `low` up to and including `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + (random(4).readUInt32BE() % (high - low + 1));
}
