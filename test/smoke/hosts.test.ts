import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, concluded, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startHost, type TestHost } from "../support/host/index.ts";
import { until } from "../support/until.ts";

let database: TestDatabase;
let folder: string;
let host: TestHost;
let app: Awaited<ReturnType<typeof startTestApp>>;

beforeAll(async () => {
  folder = await temporaryFolder("hosts");
  host = await startHost();
});
afterAll(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  database = await createDatabase();
  const { port, user, privateKeyFile: identity_file, knownHostsFile } = host;
  const web = { name: "web1", address: "127.0.0.1", port, user, identity_file };
  const bounds = { connect_timeout: "1m", command_timeout: "2m" };
  const ssh = { known_hosts: [knownHostsFile], settle: "0s", hosts: [web], ...bounds };
  app = await startTestApp(database.url, folder, { ssh });
});
afterEach(async () => {
  await app.stop();
  await database.drop();
});

describe("a host", () => {
  it("has a failed unit restarted over SSH when people agree, and is seen to be well", async () => {
    await host.unit("shop.service", { ActiveState: "failed", SubState: "failed", NRestarts: 5 });
    const labels = { alertname: "HostSystemdServiceCrashed", severity: "warning" };
    await post(
      app.url,
      alertmanagerBody([{ labels: { ...labels, instance: "web1:9100", name: "shop.service" } }]),
    );
    const incident_id = await until(async () => {
      const { items } = await app.admin.get<{ items: { incident_id: string }[] }>("/incidents?limit=1");
      return items[0]?.incident_id;
    }, "the incident");
    const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
    const approval = await app.admin.get<{ dry_run_checks?: { name: string; passed: boolean }[] }>(
      `/approvals/${approval_id}`,
    );
    expect(JSON.stringify(approval)).toContain("SHA256:");
    expect(JSON.stringify(approval)).toContain("failed (failed)");
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    const { outcome } = await concluded(app.admin, incident_id);
    expect(outcome).toMatchObject({ disposition: "human_approved", execution_success: true });
    const restarts = (await host.calls()).filter((call) => call.includes("restart"));
    expect(restarts).toEqual([["systemctl", "restart", "--", "shop.service"]]);
  });
});
