import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import { ADMIN_TOKEN, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";

let database: TestDatabase;
let folder: string;
let app: Awaited<ReturnType<typeof startTestApp>>;

beforeAll(async () => {
  [database, folder] = await Promise.all([createDatabase(), temporaryFolder("names")]);
  const [known, identity] = [join(folder, "known_hosts"), join(folder, "id")];
  await writeFile(known, "");
  await writeFile(identity, "none", { mode: 0o600 });
  // Nothing listens there.
  const port = await freePort();
  const host = (name: string, ...aliases: string[]) => ({ name, address: "127.0.0.1", port, aliases });
  app = await startTestApp(database.url, folder, {
    processes: ["shop", "stock", "both"].map((name) => ({ name, argv: ["/bin/true"] })),
    ssh: {
      known_hosts: [known],
      user: "nobody",
      identity_file: identity,
      connect_timeout: "2s",
      hosts: [host("box-1", "box-1.example.com"), host("both")],
    },
  });
});
afterAll(async () => {
  await app?.stop();
  await database?.drop();
  await clearFolder(folder);
});

async function awoooi(...argv: string[]) {
  const said = { stdout: "", stderr: "" };
  const code = await runCli(["diagnose", ...argv], {
    env: { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN },
    program: "npx awoooi",
    stdin: (async function* () {})(),
    stdout: (text) => {
      said.stdout += text;
    },
    stderr: (text) => {
      said.stderr += text;
    },
    isTTY: false,
  });
  return { code, ...said };
}

describe("awoooi diagnose NAME", () => {
  it.each([["shop"], ["process/shop"], ["processes/shop"]])(
    "looks at the process that is configured as %s and says that it is not running",
    async (name) => {
      const { code, stdout } = await awoooi(name);
      expect(code).toBe(0);
      expect(stdout).toContain("process / shop, seen at");
      expect(stdout).toMatch(/CAUSE {2}shop is not running\n[\s\S]*none is running/);
    },
  );

  it.each([["box-1"], ["box-1.example.com"], ["hosts/box-1"]])(
    "tries the host that is called %s, and ends with 6 as it is not reached",
    async (name) => {
      const { code, stdout } = await awoooi(name);
      expect(stdout).toContain("box-1 cannot be reached over SSH");
      expect(code).toBe(6);
      const json = await awoooi(name, "--json");
      expect(json.code).toBe(6);
      expect(JSON.parse(json.stdout).target).toMatchObject({ kind: "host" });
    },
  );

  it("says which there are where several are called so", async () => {
    const { code, stdout } = await awoooi("both");
    expect(code).toBe(5);
    expect(stdout).toContain("Could be: process/both, host/both;");
    expect(stdout).toContain("  npx awoooi diagnose process/both\n  npx awoooi diagnose host/both\n");
    expect((await awoooi("process/both")).code).toBe(0);
  });

  it.each([
    ["shp", 4, "No configured target is called shp. Did you mean process/shop?"],
    ["wibble", 4, "No configured target is called wibble. Targets: process/shop, process/stock"],
    ["process/shp", 4, "No process shp is configured. Did you mean process/shop?"],
    ["host/box-2", 4, "No host box-2 is configured. Did you mean host/box-1"],
    ["ingress/web", 2, "No configured investigator can inspect an ingress."],
    ["units/x", 2, "No configured investigator can inspect a unit."],
    ["proces/shop", 2, "No configured investigator can inspect a proces. Did you mean process/shop?"],
    ["deploymnt/api", 2, "inspect a deploymnt. Did you mean deployment/api?"],
  ])("answers %s with %i and what can be looked at", async (name, code, message) => {
    const answer = await awoooi(name);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toContain(message);
    expect(answer.stderr).toContain("process/both, host/box-1, host/both; unit/NAME with --host box-1");
    expect(answer.stderr).not.toContain("of a cluster");
  });
});
