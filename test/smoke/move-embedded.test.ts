import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { client } from "../support/app.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { type Server, startServer } from "../support/server.ts";

const MAIN = join(import.meta.dirname, "../../bin/awoooi.js");

/** Runs the real command line; resolves to its exit code and what it said. */
async function awoooi(home: string, argv: string[], input?: Buffer) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, AWOOOI_DATA_DIR: join(home, "data") };
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd: home, env });
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return {
    code: code as number,
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr).toString("utf8"),
  };
}

it("moves from one embedded database to another by the command line, beside the server or without it", async () => {
  const [old, fresh] = [await temporaryFolder("old"), await temporaryFolder("fresh")];
  let server: Server | undefined;
  const settings = { server: { port: 0 }, notification: { terminal: false } };
  try {
    server = await startServer(old, settings);
    await post(server.url, alertmanagerBody([{ labels: { alertname: "ShopDown", service: "shop" } }]));
    const incidents = await server.admin.get("/incidents");
    const { token } = await server.admin.post<{ token: string }>("/tokens", { name: "ada", role: "viewer" });

    const beside = await awoooi(old, ["export", "beside.gz"]);
    expect(beside).toMatchObject({ code: 0, stderr: "" });
    expect(beside.stdout.toString()).toContain("The server is running");
    expect((await server.admin.call("GET", "/health")).status).toBe(200);
    const refused = await awoooi(old, ["import", "beside.gz"]);
    expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining(`pid ${server.pid}`) });
    expect(await server.stop()).toBe(0);

    const piped = await awoooi(old, ["export", "-"]);
    expect(piped).toMatchObject({ code: 0, stderr: expect.stringContaining("incidents: 1") });
    const moved = await awoooi(fresh, ["import", "-", "--json"], piped.stdout);
    expect(moved).toMatchObject({ code: 0, stderr: "" });
    const report = JSON.parse(moved.stdout.toString());
    expect(report).toMatchObject({
      file: "-",
      tables: { "public.incidents": 1 },
      ledger: { broken_at: null },
    });
    server = await startServer(fresh, settings);
    expect(await client(server.url, token).get("/incidents")).toEqual(incidents);
    expect(await server.stop()).toBe(0);
  } finally {
    await server?.kill();
    await clearFolder(old);
    await clearFolder(fresh);
  }
});
