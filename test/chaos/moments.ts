import type { Random } from "../../src/lib/id.ts";
import { between } from "../support/random.ts";

/** The stages of a journey in which the server is killed, and how many milliseconds after one began. */
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

export type Stage = keyof typeof STAGES;
export type Moment = { stage: Stage; delay: number };

/** A moment for each of `count` journeys: every stage once, then stages drawn at random, in a random order. */
export function drawMoments(random: Random, count: number): Moment[] {
  const stages = Object.keys(STAGES) as Stage[];
  const drawn = Array.from(
    { length: count },
    (_, index) => stages[index] ?? stages[between(random, 0, stages.length - 1)],
  );
  const moments = drawn.map((stage = "intake") => ({ stage, delay: between(random, 0, STAGES[stage]) }));
  for (let index = moments.length - 1; index > 0; index -= 1) {
    const other = between(random, 0, index);
    [moments[index], moments[other]] = [moments[other] as Moment, moments[index] as Moment];
  }
  return moments;
}
