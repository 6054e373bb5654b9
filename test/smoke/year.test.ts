import { describe, expect, it } from "vitest";
import { beginExecution } from "../../src/execution/index.ts";
import { insertAttempt } from "../../src/execution/store.ts";
import { sweep } from "../../src/pipeline/index.ts";
import { presented } from "../support/approved.ts";
import { createDatabase } from "../support/database.ts";
import { holdsFinally } from "../support/invariants.ts";
import { setClock, testPipelineDeps } from "../support/pipeline-deps.ts";
import { SEED } from "../support/random.ts";
import { TROUBLES, Year, type YearOptions } from "../support/year.ts";

const MISHAPS = { crash: 0.05, bug: 0.05, database: 0.002, restart_days: 5, jump_days: 60 };
const CALM = { crash: 0, bug: 0, database: 0, restart_days: 10_000, jump_days: 10_000 };
const DAYS: YearOptions = { days: 10, troubles: 20, services: 10, sweep, mishaps: CALM };

describe("a year of an installation, on simulated time", () => {
  it("leaves nothing stuck, whatever breaks, dies, hangs or is not there", {
    timeout: 1_000 * 60 * 60,
  }, async () => {
    const counts = await new Year({
      days: 365,
      troubles: TROUBLES,
      services: 30,
      sweep,
      mishaps: MISHAPS,
    }).run();
    process.stdout.write(`a year with seed ${SEED}: ${JSON.stringify(counts)}\n`);
    expect(counts).toMatchObject({ incidents: expect.any(Number) });
  });

  // Which of the two comes first is the seed's to say.
  it("is noticed to be without a sweep", async () => {
    const year = new Year({ ...DAYS, sweep: async () => {} });
    await expect(year.run()).rejects.toThrow(
      /^(nothing is in a state past its deadline|people hear again and again)/,
    );
  });

  it("is noticed to have acted on a plan that nobody signed", async () => {
    const database = await createDatabase();
    try {
      const clock = setClock();
      const plan = await presented(database, clock);
      const deps = testPipelineDeps(database, clock);
      const execution = await beginExecution(deps.as("pipeline"), plan.approval_id, deps.run);
      await insertAttempt(deps.as("pipeline"), execution.execution_id, 1);
      await expect(holdsFinally(database)).rejects.toThrow("nothing was done without a quorum");
    } finally {
      await database.drop();
    }
  });
});
