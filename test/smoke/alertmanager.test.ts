import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localProcess } from "../../src/adapters/executors/local-process/index.ts";
import { silentLog } from "../../src/lib/log.ts";
import { type Alertmanager, startAlertmanager } from "../support/alertmanager.ts";
import { approvalIn, concluded, incidentIn, person, QUICK, unattended } from "../support/app.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { type Server, startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

type Alert = { deliveries: number; status: string };

let folder: string;
let alertmanager: Alertmanager;
let server: Server;
let shop: {
  name: string;
  argv: string[];
  env: Record<string, string>;
  probe: { url: string; timeout_ms: number };
};
let pid: number;

const SERVICE = join(import.meta.dirname, "../../demo/service.ts");

beforeAll(async () => {
  folder = await temporaryFolder("alertmanager");
  const port = await freePort();
  shop = {
    name: "demo-shop",
    argv: [process.execPath, SERVICE],
    env: { PORT: String(port) },
    probe: { url: `http://127.0.0.1:${port}/healthz`, timeout_ms: 500 },
  };
});
afterAll(async () => {
  await alertmanager?.stop();
  await server?.stop();
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended with the test.
  }
  await clearFolder(folder);
});

describe("a real Alertmanager", () => {
  it("fires, two people sign, the process is restarted, and its deliveries make one incident", async () => {
    const settings = {
      ...QUICK,
      server: { port: await freePort() },
      approval: { required_signatures: { medium: 2 } },
      processes: unattended([shop]),
    };
    server = await startServer(folder, settings);
    const state_dir = join(folder, "data/processes");
    const { processConfig } = localProcess;
    const processes = localProcess.create([processConfig.parse(shop)], { state_dir, log: silentLog });
    await processes.start("demo-shop");
    const probe = (patience = 60_000) => fetch(shop.probe.url, { signal: AbortSignal.timeout(patience) });
    await until(async () => (await probe()).ok, "the shop to serve");
    await fetch(shop.probe.url.replace("/healthz", "/break"), { method: "POST" });
    await expect(probe(500)).rejects.toThrow();

    const hook = `${server.url}/api/v1/webhooks/alertmanager`;
    alertmanager = await startAlertmanager(join(folder, "alertmanager"), hook);
    const labels = { alertname: "ShopUnreachable", service: "demo-shop", severity: "critical" };
    const startsAt = new Date().toISOString();
    await alertmanager.alert(labels, { startsAt });
    const incident_id = await until(async () => {
      const { items } = await server.admin.get<{ items: { incident_id: string }[] }>("/incidents");
      return items[0]?.incident_id;
    }, "the incident");

    // It delivers again and again, and after a restart of its own: the alert is one.
    await alertmanager.stop();
    alertmanager = await startAlertmanager(join(folder, "alertmanager"), hook);
    await alertmanager.alert(labels, { startsAt });
    const alerts = () => server.admin.get<{ items: Alert[] }>(`/incidents/${incident_id}/alerts`);
    await until(async () => ((await alerts()).items[0]?.deliveries ?? 0) >= 3, "three deliveries");
    expect((await alerts()).items).toHaveLength(1);

    const { approval_id, plan_hash } = await approvalIn(server.admin, incident_id, "pending");
    const ada = await person({ url: server.url, admin: server.admin }, "ada", "approver");
    const bob = await person({ url: server.url, admin: server.admin }, "bob", "approver");
    await ada.post(`/approvals/${approval_id}/approve`, { plan_hash });
    expect((await ada.call("POST", `/approvals/${approval_id}/approve`, { plan_hash })).status).toBe(409);
    // What has been signed outlives the server, and counts with what is signed afterwards.
    await server.kill();
    server = await startServer(folder, settings);
    await bob.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await incidentIn(server.admin, incident_id, "resolved");
    expect((await probe()).status).toBe(200);

    // The prober sees it heal and says so; the incident, resolved by its repair, stays as it is.
    await alertmanager.alert(labels, { startsAt, endsAt: new Date().toISOString() });
    await until(async () => (await alerts()).items[0]?.status === "resolved", "the resolved notice");
    await concluded(server.admin, incident_id);
    const incidents = await server.admin.get<{
      items: { status: string; hit_count: number; outcome: object }[];
    }>("/incidents");
    expect(incidents.items).toHaveLength(1);
    expect(incidents.items[0]).toMatchObject({
      status: "resolved",
      hit_count: 1,
      outcome: { disposition: "human_approved" },
    });
    const snapshot = await processes.executor.snapshot({
      kind: "process.restart",
      target: { kind: "process", name: "demo-shop" },
      parameters: {},
    });
    pid = Number(snapshot.pid);
    expect(pid).toBeGreaterThan(0);
    expect(await server.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
  });
});
