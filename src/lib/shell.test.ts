import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { commandLine, shellQuoted } from "./shell.ts";

const run = promisify(execFile);

/** What a shell makes of the line: the words that a program is given. */
async function words(args: readonly string[], shell = "sh"): Promise<string[]> {
  const line = commandLine(["printf", "%s\\0", ...args]);
  const { stdout } = await run(shell, ["-c", line]);
  return stdout.split("\0").slice(0, -1);
}

const HOSTILE = [
  "",
  "-rf",
  "--",
  "--help=x",
  "a b",
  " a ",
  "$(id)",
  "`id`",
  "$HOME",
  "~",
  "*",
  "a;b",
  "a&&b|c>d<e",
  "'",
  "''",
  "'\\''",
  '"',
  "\\",
  "\\\\'",
  "a\nb",
  "\n",
  "\r\n",
  "\t",
  "!!",
  "#",
  "{a,b}",
  "é 漢字 🦉",
  "\u202e",
  "\u0007\u001b[31m",
  "\uFEFF",
];

describe("a command line", () => {
  it.each(["sh", "bash"])("gives %s back the very words, hostile ones too", async (shell) => {
    expect(await words(HOSTILE, shell)).toEqual(HOSTILE);
  });

  it("gives the shell back any words", async () => {
    const word = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."'\"\\$`;&|<>(){}[]*?!#~ \n\t-=%ab") }),
      fc.constantFrom(...HOSTILE),
    );
    const list = fc.array(
      word.map((text) => text.replaceAll("\0", "")),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(list, async (args) => {
        expect(await words(args)).toEqual(args);
      }),
      { seed: SEED, numRuns: 25 },
    );
  });

  it("takes its first word for a program, whatever it looks like", async () => {
    for (const program of ["A=b", "if", "!", "time", "-x", "/no where/x"]) {
      await expect(run("sh", ["-c", commandLine([program, "x"])])).rejects.toMatchObject({ code: 127 });
    }
  });

  it("refuses NUL", () => {
    expect(() => commandLine(["printf", "a\0b"])).toThrow("NUL");
    expect(() => commandLine(["a\0b"])).toThrow("NUL");
  });

  it("leaves plain words as people write them", () => {
    expect(["nginx.service", "--since=1h", "a b"].map(shellQuoted)).toEqual([
      "nginx.service",
      "--since=1h",
      "'a b'",
    ]);
  });
});
