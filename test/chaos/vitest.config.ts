import { defineConfig } from "vitest/config";

/** The long chaos run, `npm run chaos`; `AWOOOI_CHAOS_KILLS=100` makes it longer still. */
export default defineConfig({
  test: {
    include: ["test/chaos/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    env: { AWOOOI_CHAOS_KILLS: process.env.AWOOOI_CHAOS_KILLS ?? "40" },
  },
});
