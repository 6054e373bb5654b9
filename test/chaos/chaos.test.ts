import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { SEED, seededRandom } from "../support/random.ts";
import { Journeys } from "./journeys.ts";
import { drawMoments, STAGES } from "./moments.ts";

// A longer run: AWOOOI_CHAOS_KILLS=100 npm run chaos.
const KILLS = Number(process.env.AWOOOI_CHAOS_KILLS ?? 10);

let folder: string;
let journeys: Journeys;

beforeEach(async () => {
  folder = await temporaryFolder("chaos");
});
afterEach(async () => {
  await journeys.end();
  await clearFolder(folder);
});

describe(`killing the server (AWOOOI_TEST_SEED=${SEED})`, () => {
  it(
    `loses no acknowledged alert, ends every journey and repeats nothing, over ${KILLS} kills`,
    async () => {
      const random = seededRandom();
      const moments = drawMoments(random, KILLS);
      expect(new Set(moments.map((moment) => moment.stage)).size).toBe(Object.keys(STAGES).length);
      journeys = new Journeys(folder);
      const { kills, acknowledged, violations } = await journeys.run(moments);
      const story = kills.map(({ journey, stage, delay }) => `${journey}: ${stage} + ${delay} ms`).join(", ");
      console.log(`seed ${SEED}; ${kills.length} kills, ${acknowledged} alerts acknowledged; ${story}`);
      expect(violations).toEqual([]);
      expect(kills).toHaveLength(KILLS);
    },
    KILLS * 45_000,
  );

  it("notices a server that answers before it has committed", async () => {
    journeys = new Journeys(folder, join(import.meta.dirname, "answers-too-early.ts"));
    const outcome = await journeys
      .run([{ stage: "acknowledged", delay: 0 }])
      .catch((error: Error) => error.message);
    expect(outcome).toMatch(/the incident of shop-0/);
  }, 90_000);
});
