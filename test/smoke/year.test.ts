import { describe, expect, it } from "vitest";
import { sweep } from "../../src/pipeline/index.ts";
import { SEED } from "../support/random.ts";
import { TROUBLES, Year, type YearOptions } from "../support/year.ts";

const MISHAPS = { crash: 0.01, bug: 0.01, database: 0.002, restart_days: 5, jump_days: 60 };
const CALM = { crash: 0, bug: 0, database: 0, restart_days: 10_000, jump_days: 10_000 };
const MONTH: YearOptions = { days: 10, troubles: 20, services: 10, sweep, mishaps: CALM };

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

  it("is noticed to be without a sweep", async () => {
    const year = new Year({ ...MONTH, sweep: async () => {} });
    await expect(year.run()).rejects.toThrow("nothing is in a state past its deadline and one sweep");
  });
});
