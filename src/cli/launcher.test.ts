import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const LAUNCHER = join(import.meta.dirname, "../../bin/awoooi.js");

async function launch(...argv: string[]) {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [LAUNCHER, ...argv]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe("the launcher", () => {
  it("passes arguments in, and output and exit code out", async () => {
    const [version, wrong] = await Promise.all([
      launch("--version"),
      launch("incidents", "show", "no id!", "--json"),
    ]);
    expect(version).toMatchObject({ code: 0, stderr: "" });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(wrong.stderr)).toMatchObject({ code: "invalid" });
  });
});
