import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

const include = ["src/**/*.test.ts", "test/**/*.test.ts", "demo/**/*.test.ts"];
const globalSetup = ["test/support/global-setup.ts"];

/** The test files beside the code that take their database from the server of the run. */
function besideStores(): string[] {
  return globSync("src/**/*.test.ts", { cwd: import.meta.dirname }).filter((file) =>
    /\/support\/database\.ts"/.test(readFileSync(join(import.meta.dirname, file), "utf8")),
  );
}

// Of the others those that bring every statement of ours to the oldest PostgreSQL that we support:
// `test/support/statements.ts` says, after a whole run, whether they still do.
const WITH_ALL_STATEMENTS = [
  "test/smoke/auto-repair.test.ts",
  "test/smoke/dead-letters.test.ts",
  "test/smoke/evidence.test.ts",
  "test/smoke/garbage.test.ts",
  "test/smoke/generic-alerts.test.ts",
  "test/smoke/idempotency.test.ts",
  "test/smoke/information.test.ts",
  "test/smoke/journey.test.ts",
  "test/smoke/mapped-sources.test.ts",
  "test/smoke/move.test.ts",
  "test/smoke/openapi.test.ts",
  "test/smoke/own-database.test.ts",
  "test/smoke/retention.test.ts",
  "test/smoke/secrets.test.ts",
  "test/smoke/sender-security.test.ts",
  "test/smoke/silences.test.ts",
  "test/smoke/undo.test.ts",
  "test/smoke/upgrade.test.ts",
];

const project = (name: string, files: string[]) => ({
  extends: true as const,
  test: { name, include: files, globalSetup },
});

export default defineConfig({
  test: {
    // Everything on the embedded PostgreSQL, and each statement on the oldest that we support too.
    projects:
      process.env.AWOOOI_TEST_DATABASE_URL === undefined
        ? [
            project("postgresql-18", include),
            project("postgresql-15", [...besideStores(), ...WITH_ALL_STATEMENTS]),
          ]
        : [project("given", include)],
    pool: "forks",
    // Most of a test's time is waiting: three keep two cores busy.
    maxWorkers: 3,
    // A worker runs one file after the other with the modules that it has loaded: a file leaves nothing behind.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // Far more than a busy machine takes: these only end what would go on for ever.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // A test that is skipped is a promise not kept: CI refuses it.
    allowOnly: false,
    // A report of a failure that happens once in a hundred runs holds all there is to know.
    chaiConfig: { truncateThreshold: 1_000 },
    passWithNoTests: false,
  },
});
