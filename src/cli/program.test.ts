import { execFile } from "node:child_process";
import { chmod, mkdir, realpath, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clearFolder, temporaryFolder } from "../../test/support/folder.ts";
import { programWords } from "./program.ts";

const run = promisify(execFile);
let folder: string;
let entry: string;
const at = (...parts: string[]) => join(folder, ...parts);

beforeAll(async () => {
  folder = await realpath(await temporaryFolder("program words"));
  for (const one of ["pkg/bin", "pkg/src", "bin", "other-bin", "home", "user/node_modules/.bin", "user/deep"])
    await mkdir(at(one), { recursive: true });
  entry = at("pkg/bin/awoooi.js");
  await writeFile(entry, "#!/bin/sh\necho it ran\n");
  await chmod(entry, 0o755);
  await writeFile(at("pkg/package.json"), "{}");
  await writeFile(at("user/package.json"), "{}");
  await writeFile(at("other-bin/awoooi"), "#!/bin/sh\n", { mode: 0o755 });
  await symlink(entry, at("bin/awoooi"));
  await symlink(entry, at("user/node_modules/.bin/awoooi"));
});
afterAll(() => clearFolder(folder));

describe("the words that start this program", () => {
  it.each([
    ["its name where a link on the path leads to it", ["bin"], "home", "awoooi"],
    ["not the name of another program before it", ["other-bin", "bin"], "home", undefined],
    ["npx in its own folder", ["other-bin"], "pkg", "npx awoooi"],
    ["npx below its own folder", [], "pkg/src", "npx awoooi"],
    ["npx in a project that has it", [], "user/deep", "npx awoooi"],
    ["not what npm alone has on its path", ["user/node_modules/.bin"], "home", undefined],
  ])("are %s", (_, path, cwd, words) => {
    const PATH = path.map((one) => at(one)).join(":");
    expect(programWords(entry, { env: { PATH }, cwd: at(cwd) })).toBe(words ?? `'${entry}'`);
  });

  it("are those of where npm was called, which runs scripts elsewhere", () => {
    expect(programWords(entry, { env: { INIT_CWD: at("home") }, cwd: at("pkg") })).toBe(`'${entry}'`);
  });

  it("can be typed into a shell as they are", async () => {
    const words = programWords(entry, { env: {}, cwd: at("home") });
    expect((await run("sh", ["-c", words], { cwd: at("home") })).stdout).toBe("it ran\n");
  });
});
