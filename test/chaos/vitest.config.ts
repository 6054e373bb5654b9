import { defineConfig } from "vitest/config";

/** The chaos suite alone, for long runs: `AWOOOI_CHAOS_KILLS=100 npm run chaos`. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    pool: "forks",
    maxWorkers: 1,
  },
});
