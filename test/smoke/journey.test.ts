import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import {
  approvalIn,
  type Client,
  concluded,
  incidentIn,
  person,
  SCRIPTED,
  startTestApp,
} from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

type App = RunningApp & { admin: Client };
type Execution = {
  status: string;
  attempts: number;
  error_code: string | null;
  verification: { result: string } | null;
};

let database: TestDatabase;
let folder: string;
let target: ScriptedTarget;
let app: App;

const PROCESSES = [{ name: "shop", argv: ["/bin/true"] }];
const firing = (name = "ShopDown") =>
  alertmanagerBody([{ labels: { alertname: name, service: "shop", severity: "critical" } }]);

async function start(settings: Record<string, unknown> = {}): Promise<void> {
  app = await startTestApp(
    database.url,
    folder,
    { processes: PROCESSES, verification: SCRIPTED, ...settings },
    {
      adapt: (adapters) => ({ ...adapters, executors: [target.executor], observers: [target.observer] }),
    },
  );
}

/** The incident of an alert that fires now. Its sender may be answered before it is known. */
async function fired(name?: string): Promise<string> {
  const { body } = await post(app.url, firing(name));
  if (typeof body.incident_id === "string") return body.incident_id;
  return until(async () => {
    const { items } = await app.admin.get<{ items: { incident_id: string }[] }>("/incidents?limit=1");
    return items[0]?.incident_id;
  }, "the incident");
}

/** Fires an alert and signs what is proposed. */
async function signed(): Promise<string> {
  const incident_id = await fired();
  const approval = await approvalIn(app.admin, incident_id, "pending");
  await app.admin.post(`/approvals/${approval.approval_id}/approve`, { plan_hash: approval.plan_hash });
  return incident_id;
}

const executionOf = (incident_id: string, ...states: string[]) =>
  until(
    async () => {
      const { items } = await app.admin.get<{ items: Execution[] }>(`/incidents/${incident_id}/executions`);
      return items.find((item) => states.includes(item.status));
    },
    `an execution to be ${states.join(" or ")}`,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "awoooi-journey-"));
  await chmod(folder, 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  database = await createDatabase();
  target = new ScriptedTarget();
});
afterEach(async () => {
  await app.stop();
  await database.drop();
});

describe("the journey of an alert", () => {
  it("goes from the webhook to a verified repair, and keeps the record", async () => {
    await start();
    const incident_id = await signed();
    const { outcome } = await concluded(app.admin, incident_id);
    expect(outcome).toMatchObject({ disposition: "human_approved", execution_success: true });
    expect(target.acts).toHaveLength(1);
    const { items } = await app.admin.get<{ items: { kind: string; text: string }[] }>(
      `/incidents/${incident_id}/timeline`,
    );
    expect(new Set(items.map((event) => event.kind))).toEqual(
      new Set(["alert", "decision", "approval", "execution", "verification", "status"]),
    );
    const records = await database.pool.query("select success, verification from repair_records");
    expect(records.rows).toEqual([{ success: true, verification: "success" }]);
    expect(await app.admin.get("/audit/verify")).toMatchObject({ broken_at: null });
  });

  it("brings the incident back to people when the repair did not help", async () => {
    await start();
    target.onAct = () => ({ ok: true, output: "restarted" });
    const incident_id = await signed();
    const execution = await executionOf(incident_id, "failed");
    expect(execution.verification?.result).toBe("failed");
    await incidentIn(app.admin, incident_id, "investigating");
    const records = await database.pool.query("select success from repair_records");
    expect(records.rows).toEqual([{ success: false }]);
  });

  it("waits out a transient error across a restart, and then acts once more", async () => {
    await start({ execution: { retry_wait: "1500ms" } });
    target.onAct = (count) => {
      if (count === 1) return { ok: false, error: "connection refused", sent: false };
      target.healthy = true;
      return { ok: true, output: "restarted" };
    };
    const incident_id = await signed();
    await until(() => target.acts.length === 1, "the first attempt");
    await until(async () => {
      const { rows } = await database.pool.query("select 1 from execution_attempts where outcome = 'failed'");
      return rows.length === 1;
    }, "the attempt to be written down");
    await app.stop();
    expect(target.acts).toHaveLength(1);
    await start({ execution: { retry_wait: "1500ms" } });
    await incidentIn(app.admin, incident_id, "resolved");
    expect(target.acts.map((run) => run.attempt)).toEqual([1, 2]);
  });

  it("does not try a permanent error again", async () => {
    await start();
    target.onAct = () => ({ ok: false, error: "permission denied", sent: false });
    const incident_id = await signed();
    const execution = await executionOf(incident_id, "failed");
    expect(execution).toMatchObject({ attempts: 1, verification: null });
    await incidentIn(app.admin, incident_id, "investigating");
  });

  it("gives up after the third transient error", async () => {
    await start({ execution: { retry_wait: 0 } });
    target.onAct = () => ({ ok: false, error: "service unavailable", sent: false });
    const incident_id = await signed();
    expect(await executionOf(incident_id, "failed")).toMatchObject({ attempts: 3 });
    expect(target.acts).toHaveLength(3);
    await incidentIn(app.admin, incident_id, "investigating");
  });

  it.each([
    ["done", "resolved", 1],
    ["not_done", "resolved", 2],
    ["cannot_tell", "investigating", 1],
  ] as const)("looks first after an interruption: %s", async (effect, status, acts) => {
    await start();
    target.effectAnswer = effect;
    target.onAct = (count) => {
      // The process is gone before the first act can be written down.
      if (count === 1) return new Promise(() => {});
      target.healthy = true;
      return { ok: true, output: "restarted" };
    };
    const incident_id = await signed();
    await until(() => target.acts.length === 1, "the act");
    await app.stop();
    if (effect === "done") target.healthy = true;
    await start();
    await executionOf(incident_id, "success", "failed");
    await incidentIn(app.admin, incident_id, status);
    expect(target.acts).toHaveLength(acts);
  });

  it("refuses at the moment of acting what was allowed before, naming the gate", async () => {
    // The sweep would take back what nobody may act on any more: here the gate is to be seen.
    await start({ approval: { authority: 0 }, sweep: { every: "1h" } });
    const incident_id = await signed();
    const execution = await executionOf(incident_id, "refused");
    expect(execution.error_code).toBe("authority_expired");
    expect(target.acts).toHaveLength(0);
    await incidentIn(app.admin, incident_id, "investigating");
  });

  it("looks again before it acts: a target that has gone since it was signed for is left alone", async () => {
    await start();
    const incident_id = await fired();
    const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
    target.resolution = { result: "miss", message: "there is no process shop" };
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    const execution = await executionOf(incident_id, "failed");
    expect(execution).toMatchObject({ attempts: 0, verification: null });
    expect(target.acts).toHaveLength(0);
    await incidentIn(app.admin, incident_id, "investigating");
  });

  it("proposes nothing on a target that does not exist", async () => {
    target.resolution = { result: "miss", message: "there is no process shop" };
    await start();
    const incident_id = await fired();
    await approvalIn(app.admin, incident_id, "superseded");
    expect(await app.admin.get(`/incidents/${incident_id}/decision`)).toMatchObject({ state: "ready" });
  });

  it("ends an approval that nobody signs, and asks again after the cool-down", async () => {
    await start({ approval: { expires_after: "200ms" }, incident: { cool_down: "1s" } });
    const incident_id = await fired();
    const items = await until(async () => {
      const page = await app.admin.get<{ items: { approval_id: string; status: string }[] }>(
        `/approvals?incident_id=${incident_id}`,
      );
      return page.items.length > 1 ? page.items : undefined;
    }, "another approval");
    expect(items.at(-1)?.status).toBe("expired");
  });

  it("resolves by the sender's notice, and says that nothing of ours did it", async () => {
    await start();
    const startsAt = new Date().toISOString();
    const labels = { alertname: "ShopDown", service: "shop" };
    const { body } = await post(app.url, alertmanagerBody([{ labels, startsAt }]));
    await post(app.url, alertmanagerBody([{ labels, startsAt, status: "resolved" }]));
    const incident = await concluded(app.admin, body.incident_id as string);
    expect(incident).toMatchObject({ status: "resolved", outcome: { disposition: "manual_resolved" } });
    await approvalIn(app.admin, body.incident_id as string, "superseded");
  });

  it("acts on one target for one execution at a time", async () => {
    // Two incidents with a plan each for one target: merged they would be one.
    await start({ incident: { correlation: { merge: false } } });
    let acting = 0;
    let most = 0;
    const release = Promise.withResolvers<void>();
    target.onAct = async () => {
      acting += 1;
      most = Math.max(most, acting);
      if (target.acts.length === 1) await release.promise;
      acting -= 1;
      target.healthy = true;
      return { ok: true, output: "restarted" };
    };
    const names = ["ShopDown", "ShopSlow"];
    const ids = await Promise.all(
      names.map(async (name) => (await post(app.url, firing(name))).body.incident_id as string),
    );
    for (const id of ids) {
      const approval = await approvalIn(app.admin, id, "pending");
      await app.admin.post(`/approvals/${approval.approval_id}/approve`, { plan_hash: approval.plan_hash });
    }
    await until(() => target.acts.length === 1, "the first act");
    release.resolve();
    for (const id of ids) await incidentIn(app.admin, id, "resolved");
    expect(target.acts).toHaveLength(2);
    expect(most).toBe(1);
  });

  it("needs two people where two are asked for, and one plan", async () => {
    await start({ approval: { required_signatures: { medium: 2 } } });
    const incident_id = await fired();
    const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
    const ada = await person(app, "ada", "approver");
    const bob = await person(app, "bob", "approver");
    const eve = await person(app, "eve", "viewer");
    const sign = (who: Client, hash = plan_hash) =>
      who.call("POST", `/approvals/${approval_id}/approve`, { plan_hash: hash });
    expect((await sign(eve)).status).toBe(403);
    expect((await sign(ada, "0".repeat(64))).body).toMatchObject({ status: 409, code: "plan_changed" });
    expect((await sign(ada)).body).toMatchObject({ status: "pending" });
    expect((await sign(ada)).body).toMatchObject({ status: 409, code: "already_signed" });
    expect((await sign(bob)).status).toBe(200);
    expect((await sign(eve)).status).toBe(403);
    await incidentIn(app.admin, incident_id, "resolved");
  });
});
