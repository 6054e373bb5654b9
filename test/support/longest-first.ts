import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, in this order, or longer than its size tells: at the end it would run alone. */
const LONG = [
  "test/chaos/chaos.test.ts",
  "test/smoke/year.test.ts",
  "test/smoke/faults.test.ts",
  "test/smoke/growth.test.ts",
  "test/fuzz/fuzz.test.ts",
  "test/smoke/authority-at-act.test.ts",
  "test/smoke/waiting.test.ts",
  "test/smoke/demo.test.ts",
  "test/smoke/move-embedded.test.ts",
  "test/smoke/stop.test.ts",
  "test/smoke/own-database.test.ts",
];

const rank = ({ moduleId }: TestSpecification) => {
  const at = LONG.findIndex((file) => moduleId.endsWith(file));
  return at === -1 ? LONG.length : at;
};

/** Vitest's own order, by earlier durations or by size, after the files that are known to be long. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
