import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { type Config, configSchema } from "../../src/app/config/schema.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Decision } from "../../src/contract/decision.ts";
import type { Execution } from "../../src/contract/execution.ts";
import type { Incident } from "../../src/contract/incident.ts";
import type { Playbook } from "../../src/contract/playbook.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import {
  ADMIN_TOKEN,
  approvalIn,
  type Client,
  concluded,
  databaseAt,
  incidentIn,
  QUICK,
  SCRIPTED,
  startTestApp,
  unattended,
} from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

const SHOPS = Array.from({ length: 30 }, (_, at) => `shop-${at}`);
let next = 0;
let shop: string;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let playbook: Playbook;
/** What the configuration says from the next reload on. */
let changed: Record<string, unknown> = {};
const target = new ScriptedTarget();
target.seen = ["process", "node"];

const settings = () => ({
  ...QUICK,
  verification: SCRIPTED,
  processes: unattended([...SHOPS, "cache"].map((name) => ({ name, argv: ["/bin/true"] }))),
  incident: { correlation: { merge: false }, cool_down: "2s" },
  execution: { ...QUICK.execution, automatic: { max_per_hour: { target: 60, total: 60 } } },
  decision: {
    mode: "auto",
    service_registry: join(folder, "service-registry.yaml"),
    ...changed,
  },
});
const load = (): Config =>
  configSchema.parse({
    ...settings(),
    data_dir: folder,
    admin_token: ADMIN_TOKEN,
    database: databaseAt(database.url),
    server: { port: 0 },
    notification: { terminal: false },
  });

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("auto-repair");
  await writeFile(join(folder, "service-registry.yaml"), "default: auto\nservices: {}\n");
  app = await startTestApp(database.url, folder, settings(), {
    load,
    adapt: (all) => ({ ...all, executors: [target.executor], observers: [target.observer] }),
  });
});
beforeEach(async () => {
  shop = SHOPS[next++] as string;
  target.acts = [];
  target.did = [];
  target.healthy = false;
  target.checks = [{ name: "program", passed: true, message: "imagined" }];
  target.onAct = (_count, _run, { target: own }) => {
    if (own?.name === shop) target.healthy = true;
    return { ok: true, output: "restarted" };
  };
  playbook = await written([{ operation: "process.restart" }]);
});
afterAll(async () => {
  await app.stop();
  await clearFolder(folder);
  await database.drop();
});

/** An approved playbook for this test's shop, which has worked as often as it is trusted. */
async function written(steps: object[], proven = true): Promise<Playbook> {
  const { items } = await app.admin.post<{ items: { playbook: Playbook }[] }>("/playbooks", {
    playbooks: [{ name: shop, pattern: { alert_names: ["ShopHangs"], services: [shop] }, steps }],
  });
  const { playbook_id, hash } = items[0]!.playbook;
  if (proven)
    await database.pool.query(
      "update playbooks set runs = 9, successes = 9, trust = 0.75 where playbook_id = $1",
      [playbook_id],
    );
  return app.admin.post<Playbook>(`/playbooks/${playbook_id}/approve`, { hash });
}
async function change(to: Record<string, unknown>): Promise<void> {
  changed = to;
  await app.reload();
}
async function fire(labels: Record<string, string> = {}): Promise<string> {
  const all = { alertname: "ShopHangs", component: shop, severity: "warning", ...labels };
  const answer = await post(app.url, alertmanagerBody([{ labels: all }]));
  return answer.body.incident_id as string;
}
const executionsOf = async (incident_id: string) =>
  (await app.admin.get<{ items: Execution[] }>(`/incidents/${incident_id}/executions`)).items.reverse();
const approvalsOf = async (incident_id: string) =>
  (await app.admin.get<{ items: Approval[] }>(`/approvals?incident_id=${incident_id}`)).items.reverse();
const logOf = async (incident_id: string, event?: string) => {
  const filter = event === undefined ? "" : `&event=${event}`;
  const path = `/operation-log?incident_id=${incident_id}${filter}`;
  type Entry = { event: string; text: string; data: { blocked_by?: { guardrail: string }[] } };
  return (await app.admin.get<{ items: Entry[] }>(path)).items.reverse();
};
const topicsOf = async (incident_id: string) => {
  const { rows } = await database.pool.query("select topic from outbox where incident_id = $1 order by seq", [
    incident_id,
  ]);
  return rows.map((row) => row.topic as string);
};
/** The names of what kept an incident's playbook from running by itself, once people are asked instead. */
async function blockedBy(incident_id: string): Promise<string[]> {
  await approvalIn(app.admin, incident_id, "pending");
  const [entry] = await logOf(incident_id, "GUARDRAIL_BLOCKED");
  const { policy } = await app.admin.get<Decision>(`/incidents/${incident_id}/decision`);
  expect(policy).toMatchObject({ outcome: "ask", blocked_by: entry?.data.blocked_by });
  expect(target.acts).toEqual([]);
  return (entry?.data.blocked_by ?? []).map((one) => one.guardrail);
}
const executionEnded = (incident_id: string, status: string) =>
  until(
    async () => (await executionsOf(incident_id)).find((one) => one.status === status),
    `an execution to be ${status}`,
  );

describe("a playbook that may run by itself", () => {
  it("does, step by step, and people are told and not asked", async () => {
    playbook = await written([
      { operation: "process.restart", target: { kind: "process", name: `${shop}-cache` } },
      { operation: "process.restart" },
    ]);
    const incident_id = await fire();
    const { outcome } = await concluded(app.admin, incident_id);
    expect(outcome).toMatchObject({ disposition: "auto_repair", execution_success: true });
    const [approval, ...more] = await approvalsOf(incident_id);
    expect(more).toEqual([]);
    expect(approval).toMatchObject({
      requested_by: "auto_approve:playbook",
      authority: "policy",
      required_signatures: 0,
      signatures: [],
      matched_playbook_id: playbook.playbook_id,
      status: "execution_success",
    });
    const items = await executionsOf(incident_id);
    expect(items.map((one) => [one.step, one.caller, one.status])).toEqual([
      [1, "auto_repair", "success"],
      [2, "auto_repair", "success"],
    ]);
    expect((await logOf(incident_id)).map((one) => one.event)).toEqual([
      "ALERT_RECEIVED",
      "DRY_RUN_COMPLETED",
      "DRY_RUN_COMPLETED",
      "AUTO_REPAIR_TRIGGERED",
      "DRY_RUN_COMPLETED",
      "EXECUTION_STARTED",
      "EXECUTION_COMPLETED",
      "DRY_RUN_COMPLETED",
      "EXECUTION_STARTED",
      "EXECUTION_COMPLETED",
      "VERIFICATION_COMPLETED",
    ]);
    // Kept before it was repaired, and counted since, both steps being one repair.
    const { frequency_stats: now, frequency_snapshot: before } = await app.admin.get<Incident>(
      `/incidents/${incident_id}`,
    );
    expect(before).toMatchObject({ count_1h: 1, count_30d: 1, auto_repair_count: 0, escalation_level: 1 });
    expect(now).toMatchObject({ count_1h: 1, last_1h: 1, count_30d: 1, last_30d: 1, auto_repair_count: 1 });
    expect(now.anomaly_key).toBe(before?.anomaly_key);
    const topics = await topicsOf(incident_id);
    expect(topics).toContain("approval.automatic");
    expect(topics).not.toContain("approval.pending");
    const after = await app.admin.get<Playbook>(`/playbooks/${playbook.playbook_id}`);
    expect(after).toMatchObject({ runs: 10, successes: 10 });
    expect(after.trust).toBeGreaterThan(0.75);
  });

  it("is not trusted any more once it fails: people are told, and asked the next time", async () => {
    target.onAct = () => ({ ok: true, output: "restarted" });
    const incident_id = await fire();
    await executionEnded(incident_id, "failed");
    expect(await app.admin.get(`/incidents/${incident_id}/decision`)).toMatchObject({ state: "error" });
    expect(await topicsOf(incident_id)).toContain("execution.finished");
    expect(await app.admin.get(`/playbooks/${playbook.playbook_id}`)).toMatchObject({
      failures: 1,
      trust: 0,
    });
    const { approval_id } = await approvalIn(app.admin, incident_id, "pending");
    expect(await app.admin.get(`/approvals/${approval_id}`)).toMatchObject({ authority: "people" });
    const [entry] = await logOf(incident_id, "GUARDRAIL_BLOCKED");
    const names = entry?.data.blocked_by?.map((one) => one.guardrail);
    expect(names).toEqual(["trust", "failed_before"]);
    expect(target.acts).toHaveLength(1);
  });

  it("is a first try where cold starts are allowed and its risk is low", async () => {
    await change({ playbook: { cold_start: true } });
    target.onAct = () => {
      target.healthy = true;
      return { ok: true, output: "uncordoned" };
    };
    const own = { alert_names: ["ShopNodeIdle"], services: [shop] };
    const steps = [{ operation: "kubernetes.uncordon", target: { kind: "node", name: "n1" } }];
    const { items } = await app.admin.post<{ items: { playbook: Playbook }[] }>("/playbooks", {
      playbooks: [{ name: `${shop}-cold`, pattern: own, steps }],
    });
    await app.admin.post(`/playbooks/${items[0]!.playbook.playbook_id}/approve`);
    const incident_id = await fire({ alertname: "ShopNodeIdle" });
    const { outcome } = await concluded(app.admin, incident_id);
    expect(outcome).toMatchObject({ disposition: "cold_start_trust" });
    const [one] = await approvalsOf(incident_id);
    expect(one).toMatchObject({ authority: "policy", risk_level: "low" });
    await change({});
  });
});

describe("a playbook is kept from running by itself, and people are asked,", () => {
  it("by the label of an alert", async () => {
    expect(await blockedBy(await fire({ auto_repair: "no" }))).toEqual(["auto_repair_label"]);
  });
  it("by the severity of what it is for", async () => {
    expect(await blockedBy(await fire({ severity: "critical" }))).toEqual(["severity"]);
  });
  it("by what the service registry says, which is read again while it runs", async () => {
    const file = join(folder, "service-registry.yaml");
    await writeFile(file, `default: auto\nservices: { ${shop}: { auto_repair: never, owner: ada } }\n`);
    expect(await app.reload()).toMatchObject({ changed: ["decision.service_registry"] });
    expect(await blockedBy(await fire())).toEqual(["service_registry"]);
    await writeFile(file, "default: auto\nservices: {}\n");
    await app.reload();
  });
  it("by what the registry says of the target, whatever a label names beside it", async () => {
    const file = join(folder, "service-registry.yaml");
    await writeFile(file, `default: never\nservices: { ${shop}: { auto_repair: auto } }\n`);
    await app.reload();
    expect(await blockedBy(await fire({ process: "cache" }))).toEqual([
      "service_registry",
      "playbook_services",
    ]);
    target.healthy = false;
    await concluded(app.admin, await fire({ process: shop }));
    expect(target.acts).toHaveLength(1);
    await writeFile(file, "default: auto\nservices: {}\n");
    await app.reload();
  });
  it("by what it would do", async () => {
    await written([
      { operation: "host.clear_docker_logs", target: { kind: "host", name: "h1" } },
      { operation: "process.restart" },
    ]);
    expect(await blockedBy(await fire())).toEqual(["destructive"]);
  });
  it("by how often the trouble came before", async () => {
    await database.pool.query(
      "create or replace function raise_tier() returns trigger language plpgsql as $$ begin new.escalation_level := 4; return new; end $$",
    );
    await database.pool.query(
      "create trigger raise_tier before insert on incidents for each row execute function raise_tier()",
    );
    const incident_id = await fire();
    await database.pool.query("drop trigger raise_tier on incidents");
    expect(await blockedBy(incident_id)).toEqual(["tier"]);
  });
  it("by the trust that it has not earned", async () => {
    await database.pool.query("update playbooks set trust = 0.4 where playbook_id = $1", [
      playbook.playbook_id,
    ]);
    expect(await blockedBy(await fire())).toEqual(["trust"]);
  });
  it("by that it has never run", async () => {
    await database.pool.query("update playbooks set runs = 0, successes = 0 where playbook_id = $1", [
      playbook.playbook_id,
    ]);
    expect(await blockedBy(await fire())).toEqual(["cold_start"]);
  });
  it("by a check that does not pass", async () => {
    target.checks = [{ name: "permission", passed: false, message: "denied" }];
    expect(await blockedBy(await fire())).toEqual(["dry_run"]);
  });
  it("by a freeze", async () => {
    expect((await app.admin.call("PUT", "/freeze", { why: "a release" })).status).toBe(200);
    expect(await blockedBy(await fire())).toEqual(["circuit_breaker"]);
    await app.admin.call("DELETE", "/freeze");
  });
});

describe("what policy allowed", () => {
  /** An incident whose repair by itself is about to act for the first time. */
  async function held(): Promise<{ incident_id: string; reached: Promise<void>; go: () => void }> {
    await written([
      { operation: "process.restart", target: { kind: "process", name: `${shop}-cache` } },
      { operation: "process.restart" },
    ]);
    const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { onAct } = target;
    target.onAct = async (count, run, operation) => {
      if (count === 1) {
        reached.resolve();
        await gate.promise;
      }
      return onAct(count, run, operation);
    };
    return { incident_id: await fire(), reached: reached.promise, go: gate.resolve };
  }

  it.each([
    [
      "a person who rejects it",
      "approval_missing",
      async (approval_id: string) => {
        await app.admin.post(`/approvals/${approval_id}/reject`, { reason: "not now" });
      },
    ],
    [
      "a freeze",
      "frozen",
      async () => {
        expect((await app.admin.call("PUT", "/freeze", { why: "stop" })).status).toBe(200);
      },
    ],
    ["another mode", "guardrail_blocked", () => change({ mode: "suggest" })],
    [
      "a playbook out of use",
      "guardrail_blocked",
      async () => {
        const { items } = await app.admin.get<{ items: Playbook[] }>("/playbooks?limit=1");
        await app.admin.post(`/playbooks/${items[0]!.playbook_id}/deprecate`);
      },
    ],
    [
      "the leaving of who approved its playbook",
      "guardrail_blocked",
      async () => {
        const made = await app.admin.post<{ token_id: string; person_id: string }>("/tokens", {
          name: "pat",
          role: "approver",
        });
        await database.pool.query(
          "update playbooks set approved_by_person = $1, approved_at = now() where name = $2",
          [made.person_id, shop],
        );
        await app.admin.call("DELETE", `/tokens/${made.token_id}`);
      },
    ],
    [
      "a plan that was changed",
      "plan_mismatch",
      async (approval_id: string) => {
        await database.pool.query(
          `update approvals set plan = jsonb_set(plan, '{further,0,target,name}', '"cache"') where approval_id = $1`,
          [approval_id],
        );
      },
    ],
    [
      "another caller",
      "authority_policy",
      async () => {
        await database.pool.query(
          `create or replace function other_caller() returns trigger language plpgsql
           as $$ begin new.caller := 'approval_executor'; return new; end $$`,
        );
        await database.pool.query(
          "create trigger other_caller before insert on executions for each row execute function other_caller()",
        );
      },
    ],
  ] as [string, string, (approval_id: string) => Promise<void>][])(
    "is stopped between its steps by %s",
    async (_what, code, stop) => {
      const { incident_id, reached, go } = await held();
      await reached;
      const [approval] = await approvalsOf(incident_id);
      await stop(approval!.approval_id);
      go();
      const refused = await executionEnded(incident_id, "refused");
      expect(refused).toMatchObject({ step: 2, error_code: code, attempts: 0 });
      expect(target.acts).toHaveLength(1);
      await database.pool.query("drop trigger if exists other_caller on executions");
      await app.admin.call("DELETE", "/freeze");
      if (code === "guardrail_blocked") await change({});
      await incidentIn(app.admin, incident_id, "investigating");
    },
  );

  it("cannot be signed, nor rejected when it is over", async () => {
    const incident_id = await fire();
    await concluded(app.admin, incident_id);
    const [one] = await approvalsOf(incident_id);
    const { approval_id, plan_hash } = one!;
    const sign = await app.admin.call("POST", `/approvals/${approval_id}/approve`, { plan_hash });
    const reject = await app.admin.call("POST", `/approvals/${approval_id}/reject`, { reason: "late" });
    expect([sign.status, reject.status]).toEqual([409, 409]);
  });
});
