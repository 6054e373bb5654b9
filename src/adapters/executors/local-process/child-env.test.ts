import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { until } from "../../../../test/support/until.ts";
import { silentLog } from "../../../lib/log.ts";
import { machinePath } from "./child-env.ts";
import { localProcess } from "./index.ts";

const run = promisify(execFile);
const PACKAGE = join(import.meta.dirname, "../../../..");
const OWN = join(PACKAGE, "node_modules/.bin");
const path = (...folders: string[]) => folders.join(delimiter);

let folder: string;
let machine: string;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "awoooi-path-")));
  machine = join(folder, "machine");
  await mkdir(machine);
  // What a machine calls `node` need not be one: here it says whose it is, and stays.
  await writeFile(join(machine, "node"), '#!/bin/sh\necho "the machine\'s own"\nexec sleep 600\n');
  await chmod(join(machine, "node"), 0o755);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe("the PATH of supervised processes", () => {
  it("names the machine's own programs where npm runs the server, and those of this package nowhere", async () => {
    // npm itself is where the tests found it.
    const before = machinePath(process.env.PATH ?? "", true);
    const command = ["exec", "--offline", "-c", 'printf %s "$PATH"'];
    const { stdout } = await run("npm", command, { cwd: PACKAGE, env: { ...process.env, PATH: before } });
    expect(stdout.startsWith(OWN)).toBe(true);
    expect(stdout.length).toBeGreaterThan(before.length);
    expect(machinePath(stdout, true)).toBe(before);
    // One npm that another starts, and what a server inherits without npm's other variables.
    const twice = path(
      OWN,
      join(folder, "node_modules/.bin"),
      "/x/node-gyp-bin",
      OWN,
      "/y/node-gyp-bin",
      machine,
    );
    expect(machinePath(twice, true)).toBe(machine);
    expect(machinePath(path(OWN, machine, OWN), false)).toBe(machine);
  });

  it("knows its own folder behind a link, and leaves alone what a person has put there", async () => {
    const link = join(folder, "link");
    await symlink(PACKAGE, link);
    expect(machinePath(path(join(link, "node_modules/.bin"), machine), false)).toBe(machine);
    const tools = join(folder, "tools/node_modules/.bin");
    expect(machinePath(path(tools, machine), false)).toBe(path(tools, machine));
    // npm puts its own before all that was there.
    expect(machinePath(path(OWN, "/x/node-gyp-bin", tools, machine), true)).toBe(path(tools, machine));
  });

  it("is what `node` is found along", async () => {
    for (const name of ["npm_execpath", "npm_config_user_agent"]) vi.stubEnv(name, undefined);
    vi.stubEnv("PATH", path(OWN, machine, "/usr/bin", "/bin"));
    const shop = localProcess.processConfig.parse({ name: "shop", argv: ["node"], settle_ms: 0 });
    const local = localProcess.create([shop], { state_dir: folder, log: silentLog });
    try {
      const { checks } = await local.executor.dryRun({
        kind: "process.restart",
        target: { kind: "process", name: "shop" },
        parameters: {},
      });
      expect(checks.find(({ name }) => name === "program")?.message).toBe(join(machine, "node"));
      await local.start("shop");
      const said = () => readFile(join(folder, "shop.log"), "utf8").catch(() => "");
      await until(async () => (await said()).includes("the machine's own"), "the machine's own node");
    } finally {
      await local.stop("shop");
    }
  });
});
