import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { cardLines, type SignedWhere } from "../../demo/card.ts";
import { APPROVAL } from "../support/cli-server.ts";

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, "../../demo/main.ts");

/** Its output; rejects unless it ends with exit code 0. */
async function demo(...args: string[]): Promise<string> {
  return (await run(process.execPath, [MAIN, "--exit", ...args])).stdout;
}

describe("the card of the demo", () => {
  const at = { url: "http://127.0.0.1:1", adminToken: "awoooi_x", program: "npx awoooi" };
  const shown = (asked: SignedWhere) => cardLines(APPROVAL, asked, at).join("\n");

  it("sends nobody to another terminal who is asked in this one", () => {
    expect(shown("here")).not.toMatch(/terminal|approvals approve|awoooi_x/);
    expect(shown("here")).toMatch(
      /^┌ Restart.*\n│ risk medium, 1 signature needed\n│ blast radius: away for about 5 s, data NONE\n(│.*\n)+└ plan a{16}…$/,
    );
  });

  it("has the command where it is signed elsewhere", () => {
    expect(shown("elsewhere")).toMatch(
      /another terminal:\n.*AWOOOI_TOKEN=awoooi_x\n└ {3}npx awoooi approvals approve APR-1$/,
    );
    expect(shown("demo")).toContain("a person signs it with:");
  });
});

describe("the demo", () => {
  it("breaks the shop and heals it", async () => {
    const story = await demo("--auto");
    expect(story).toMatch(/demo-shop has stopped answering[\s\S]*signed[\s\S]*demo-shop answers again\./);
  });

  it("makes one incident with one decision of all that follows from one cause, of 10,000 alerts", async () => {
    const story = await demo("--storm");
    expect(story).toMatch(/10,000 alerts in [\s\S]*They are 50 faults in 30 incidents with 30 decisions/);
  });
});
