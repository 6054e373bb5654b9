import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../../demo/main.ts");

/** Its output; rejects unless it ends with exit code 0. */
async function demo(...args: string[]): Promise<string> {
  return (await run(process.execPath, [MAIN, "--exit", ...args])).stdout;
}

describe("the demo", () => {
  it("breaks the shop and heals it", async () => {
    const story = await demo("--auto");
    expect(story).toMatch(/demo-shop has stopped answering[\s\S]*signed[\s\S]*demo-shop answers again\./);
  });

  it("makes one incident with one decision of all that follows from one cause, of 10,000 alerts", async () => {
    const story = await demo("--storm");
    expect(story).toMatch(/10,000 alerts in [\s\S]*They are 50 troubles in 30 incidents with 30 decisions/);
  });
});
