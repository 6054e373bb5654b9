import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { SEED, seededRandom } from "../support/random.ts";
import { Journeys, type Report } from "./journeys.ts";
import { drawMoments, type Moment, STAGES, type Stage, shuffled } from "./moments.ts";
import { SmallDisk } from "./small-disk.ts";

// One in each stage. A longer run: npm run chaos.
const KILLS = Number(process.env.AWOOOI_CHAOS_KILLS ?? Object.keys(STAGES).length);
/** Of each other kind of fault, whatever KILLS is. */
const OTHERS = Math.max(1, Math.floor(KILLS / 10));
const MEGABYTES = 160;
// A process cannot be restarted on a full disk, and what failed for that reason is for people to decide.
const BEFORE_EXECUTION: Stage[] = ["intake", "acknowledged", "preparation", "waiting"];

let folder: string;
let journeys: Journeys;
let disk: SmallDisk | undefined;

beforeEach(async () => {
  folder = await temporaryFolder("chaos");
});
afterEach(async () => {
  await journeys.end();
  await clearFolder(folder, () => disk?.unmount() ?? Promise.resolve());
  disk = undefined;
});

function tally<Key extends string>(moments: readonly Moment[], key: (moment: Moment) => Key): string {
  const counts = new Map<Key, number>();
  for (const moment of moments) counts.set(key(moment), (counts.get(key(moment)) ?? 0) + 1);
  return [...counts].map(([name, n]) => `${name} ${n}`).join(", ");
}

function tell({ struck, acknowledged, answers, checked, violations }: Report): void {
  console.log(
    [
      `seed ${SEED}: ${struck.length} faults, ${acknowledged} alerts acknowledged`,
      `  faults: ${tally(struck, (moment) => moment.fault)}`,
      `  stages: ${tally(struck, (moment) => moment.stage)}`,
      `  answers to senders: ${Object.entries(answers)
        .map(([status, n]) => `${status} ${n}`)
        .join(", ")}`,
      ...checked.map((name) => {
        const broken = violations.find((one) => one.startsWith(name));
        return broken === undefined ? `  holds: ${name}` : `  BROKEN: ${broken}`;
      }),
    ].join("\n"),
  );
}

describe(`faults under load (AWOOOI_TEST_SEED=${SEED})`, () => {
  it(
    `loses nothing acknowledged, ends every journey and repeats nothing: ${KILLS} kills of the server, ` +
      `${OTHERS} each of killing, restarting and stopping PostgreSQL`,
    async () => {
      const random = seededRandom();
      const moments = shuffled(random, [
        ...drawMoments(random, "server_killed", KILLS),
        ...drawMoments(random, "postgres_killed", OTHERS),
        ...drawMoments(random, "postgres_restarted", OTHERS),
        ...drawMoments(random, "postgres_stopped", OTHERS),
      ]);
      journeys = new Journeys(folder);
      const report = await journeys.run(moments);
      tell(report);
      expect(report.violations).toEqual([]);
      expect(report.struck).toHaveLength(KILLS + 3 * OTHERS);
      expect(new Set(report.struck.map((moment) => moment.stage)).size).toBe(Object.keys(STAGES).length);
    },
    600_000 + (KILLS + 3 * OTHERS) * 60_000,
  );

  it(
    "refuses while its disk is full, loses nothing, and goes on by itself when there is room: " +
      `${OTHERS} times, and as often again when PostgreSQL has died of it`,
    async () => {
      const random = seededRandom();
      const moments = [
        ...drawMoments(random, "disk_full", OTHERS, BEFORE_EXECUTION),
        ...drawMoments(random, "disk_full_to_death", OTHERS, BEFORE_EXECUTION),
      ];
      disk = new SmallDisk(join(folder, "data"), MEGABYTES);
      journeys = new Journeys(folder, { disk });
      const report = await journeys.run(moments);
      tell(report);
      expect(report.violations).toEqual([]);
      expect(report.struck).toHaveLength(2 * OTHERS);
    },
    600_000 + 2 * OTHERS * 90_000,
  );

  it("notices a server that answers before it has committed, by the name of what it breaks", async () => {
    journeys = new Journeys(folder, { entry: join(import.meta.dirname, "answers-too-early.ts"), senders: 0 });
    const kill: Moment = { fault: "server_killed", stage: "acknowledged", delay: 0, lasts: 0 };
    const { violations } = await journeys.run([kill]);
    expect(violations).toEqual(["every acknowledged alert belongs to an incident: shop-0"]);
  });
});
