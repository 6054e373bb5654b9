import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest by far, in this order: at the end it would run alone. */
const LONG = [
  "test/chaos/chaos.test.ts",
  "test/smoke/year.test.ts",
  "test/smoke/faults.test.ts",
  "test/smoke/growth.test.ts",
  "test/fuzz/fuzz.test.ts",
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
