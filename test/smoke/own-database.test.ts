import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { QUICK } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { type Server, ServerFailed, startServer } from "../support/server.ts";

let database: TestDatabase;
let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("own");
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
  await clearFolder(folder);
  await database.drop();
});

const settings = { ...QUICK, server: { port: 0, log_level: "warn" }, notification: { terminal: false } };
const start = () => startServer(folder, settings, { DATABASE_URL: database.url });

describe("a PostgreSQL of the operator's, by DATABASE_URL", () => {
  it("takes alerts, keeps what it has over a restart, and is served by one server at a time", async () => {
    server = await start();
    const body = alertmanagerBody([{ labels: { alertname: "Own", service: "x" } }]);
    const { status, body: answer } = await post(server.url, body);
    expect(status).toBe(200);
    const { rows } = await database.pool.query("select incident_id from incidents");
    expect(rows).toEqual([{ incident_id: answer.incident_id }]);
    const refusal = await start().catch((error: ServerFailed) => error);
    expect(refusal).toBeInstanceOf(ServerFailed);
    expect((refusal as ServerFailed).message).toContain(`pid ${server.pid}`);
    expect(await server.stop()).toBe(0);
    server = await start();
    const { items } = await server.admin.get<{ items: { incident_id: string }[] }>("/incidents");
    expect(items.map((item) => item.incident_id)).toEqual([answer.incident_id]);
    expect(await server.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
  });
});
