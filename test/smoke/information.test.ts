import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type CliIo, runCli } from "../../src/cli/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, type Client, incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";

let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("information");
  app = await startTestApp(database.url, folder, { processes: [{ name: "shop", argv: ["/bin/true"] }] });
});
afterAll(async () => {
  await app.stop();
  await database.drop();
  await clearFolder(folder);
});

async function awoooi(...argv: string[]): Promise<string> {
  let text = "";
  const io: CliIo = {
    env: { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN },
    stdout: (piece) => {
      text += piece;
    },
    stderr: () => {},
    stdin: (async function* () {})(),
    isTTY: false,
  };
  expect(await runCli(argv, io)).toBe(0);
  return text;
}

describe("information", () => {
  const labels = { alertname: "ShopDown", process: "shop", severity: "info" };
  const startsAt = new Date().toISOString();

  it("is an incident that people see, about which nothing is decided, and ends with its alert", async () => {
    const { body } = await post(app.url, alertmanagerBody([{ labels, startsAt }]));
    expect(body).toMatchObject({ message: "recorded", approval_created: false, suggested_action: null });
    const id = body.incident_id as string;
    const { items } = await app.admin.get<{ items: object[] }>("/incidents?category=info");
    expect(items).toMatchObject([
      { incident_id: id, notification_type: "TYPE-1", severity: "P3", decision: null, approval_ids: [] },
    ]);
    expect(await awoooi("incidents", "ls")).toContain("ShopDown");
    expect(await awoooi("incidents", "show", id)).toContain(
      "Nothing: it is information, recorded and shown.",
    );
    const alerts = await app.admin.get<{ items: object[] }>(`/incidents/${id}/alerts`);
    expect(alerts.items).toMatchObject([{ alert_name: "ShopDown", status: "firing" }]);
    await post(app.url, alertmanagerBody([{ labels, startsAt, status: "resolved" }]));
    await incidentIn(app.admin, id, "resolved");
    expect((await database.pool.query("select 1 from decisions")).rows).toEqual([]);
    expect((await database.pool.query("select 1 from approvals")).rows).toEqual([]);
  });
});
