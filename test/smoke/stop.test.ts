import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, QUICK, unattended } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { type Server, startServer } from "../support/server.ts";
import { eventually, until } from "../support/until.ts";

let database: TestDatabase;
let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("stop");
});
afterEach(async () => {
  await server?.kill();
  server = undefined;
  const record = await readFile(join(folder, "data/processes/shop.json"), "utf8").catch(() => "{}");
  const { pid } = JSON.parse(record) as { pid?: number };
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  await clearFolder(folder);
  await database.drop();
});

// It never answers its probe: what is verified of it fails.
const PROCESS = {
  name: "shop",
  argv: ["/bin/sleep", "600"],
  probe: { url: "http://127.0.0.1:1024/", timeout_ms: 200 },
};

async function start(verification: object): Promise<Server> {
  server = await startServer(folder, {
    ...QUICK,
    database: { url: database.url },
    verification: { ...QUICK.verification, ...verification },
    server: { port: 0, log_level: "warn" },
    notification: { terminal: false },
    processes: unattended([PROCESS]),
  });
  return server;
}
const executionIs = (status: string) =>
  until(async () => {
    const { rows } = await database.pool.query("select 1 from executions where status = $1", [status]);
    return rows.length > 0;
  }, `the execution to be ${status}`);

describe("stopping", () => {
  it.each([
    ["waits before it verifies", "DELAYED", { wait: "3s" }, { wait: 0, collect: 0 }],
    ["is verifying", "PENDING", { wait: 0, collect: "10m" }, { wait: "3s", collect: 0 }],
  ])(
    "does not wait for a workflow that %s; it goes on at the next start, whatever was configured",
    async (_what, state, first, then) => {
      const { url, admin, stop } = await start(first);
      const body = alertmanagerBody([{ labels: { alertname: "ShopDown", service: "shop" } }]);
      const incident_id = (await post(url, body)).body.incident_id as string;
      const { approval_id, plan_hash } = await approvalIn(admin, incident_id, "pending");
      await admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
      await executionIs("verifying");
      const workflows = async () => {
        const text = `select workflow_uuid id, status from dbos.workflow_status where name in ('execute', 'verify')
          order by name`;
        return (await database.pool.query(text)).rows;
      };
      const [acted, looks] = [`execute:${approval_id}`, `verify:${approval_id}:turn-1`];
      // What has acted waits no longer in the place of others.
      const waiting = [
        { id: acted, status: "SUCCESS" },
        { id: looks, status: state },
      ];
      await eventually(async () => expect(await workflows()).toEqual(waiting));
      expect(await stop()).toBe(0);
      expect(await workflows()).toEqual(waiting);
      await start(then);
      await executionIs("failed");
      await eventually(async () =>
        expect(await workflows()).toEqual(waiting.map((one) => ({ ...one, status: "SUCCESS" }))),
      );
      const { rows } = await database.pool.query("select attempt, outcome from execution_attempts");
      expect(rows).toEqual([{ attempt: 1, outcome: "success" }]);
    },
  );
});
