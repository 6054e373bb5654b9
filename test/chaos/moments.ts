import type { Random } from "../../src/lib/id.ts";
import { between } from "../support/random.ts";

/** The stages of a journey in which something fails, and how many milliseconds after one began at most. */
export const STAGES = {
  /** While the alert is on its way into the journal. */
  intake: 8,
  /** Right after it was acknowledged. */
  acknowledged: 10,
  /** While evidence for the plan is gathered. */
  preparation: 60,
  /** While the plan waits for people. */
  waiting: 40,
  /** While a signature is on its way. */
  signing: 8,
  /** While the process is being restarted. */
  execution: 250,
  /** Between the act and the conclusion. */
  verification: 300,
  /** As the conclusion is drawn. */
  conclusion: 30,
} as const;

/** What fails, and for how many milliseconds at most where it lasts until it is mended. */
const FAULTS = {
  /** The server is gone, as by the kernel, and started again. */
  server_killed: 0,
  /** The database is gone, as by the kernel. */
  postgres_killed: 0,
  /** Somebody shuts the database down, while its clients are at work. */
  postgres_restarted: 0,
  /** The database takes connections and answers nothing. */
  postgres_stopped: 4_000,
  /** The database cannot write, and refuses. */
  disk_full: 4_000,
  /** The database cannot write ahead either, and dies of it as often as it is started. */
  disk_full_to_death: 4_000,
} as const;

export type Stage = keyof typeof STAGES;
export type Fault = keyof typeof FAULTS;
export type Moment = { fault: Fault; stage: Stage; delay: number; lasts: number };

const EVERY_STAGE = Object.keys(STAGES) as Stage[];

/**
 * A moment for each of `count` journeys in which `fault` strikes: every one of `stages` once before any of
 * them again, and from then on drawn at random.
 */
export function drawMoments(
  random: Random,
  fault: Fault,
  count: number,
  stages: readonly Stage[] = EVERY_STAGE,
): Moment[] {
  const first = shuffled(random, stages);
  return Array.from({ length: count }, (_, index) => {
    const stage = first[index] ?? (stages[between(random, 0, stages.length - 1)] as Stage);
    const longest = FAULTS[fault];
    const lasts = between(random, Math.floor(longest / 4), longest);
    return { fault, stage, delay: between(random, 0, STAGES[stage]), lasts };
  });
}

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const drawn = [...items];
  for (let index = drawn.length - 1; index > 0; index -= 1) {
    const other = between(random, 0, index);
    [drawn[index], drawn[other]] = [drawn[other] as T, drawn[index] as T];
  }
  return drawn;
}
