import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const include = ["src/**/*.test.ts", "test/**/*.test.ts", "demo/**/*.test.ts"];
const globalSetup = ["test/support/global-setup.ts"];

// Long lives of an installation, made of what other files run on both servers.
const LONG = ["test/smoke/growth.test.ts", "test/smoke/year.test.ts"];

/** The test files that take their database from the server of the run. */
function withDatabase(): string[] {
  const files = globSync(include, { cwd: import.meta.dirname }).filter((file) => !LONG.includes(file));
  return files.filter((file) =>
    /\/support\/database\.ts"/.test(readFileSync(join(import.meta.dirname, file), "utf8")),
  );
}

const project = (name: string, files: string[]) => ({
  extends: true as const,
  test: { name, include: files, globalSetup },
});

export default defineConfig({
  test: {
    // Everything on the embedded PostgreSQL, and what uses a database on the oldest that we support too.
    projects:
      process.env.AWOOOI_TEST_DATABASE_URL === undefined
        ? [project("postgresql-18", include), project("postgresql-15", withDatabase())]
        : [project("given", include)],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that is skipped is a promise not kept: CI refuses it.
    allowOnly: false,
    passWithNoTests: false,
  },
});
