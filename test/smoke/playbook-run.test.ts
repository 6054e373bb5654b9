import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Execution } from "../../src/contract/execution.ts";
import type { Playbook } from "../../src/contract/playbook.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, concluded, incidentIn, SCRIPTED, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

const SHOPS = Array.from({ length: 12 }, (_, at) => `shop-${at}`);
let next = 0;
let shop: string;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
const target = new ScriptedTarget();
let playbook: Playbook;

const start = () =>
  startTestApp(
    database.url,
    folder,
    {
      processes: [...SHOPS, "cache"].map((name) => ({ name, argv: ["/bin/true"] })),
      incident: { correlation: { merge: false } },
      verification: SCRIPTED,
    },
    { adapt: (all) => ({ ...all, executors: [target.executor], observers: [target.observer] }) },
  );

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("playbooks");
  app = await start();
});
beforeEach(async () => {
  shop = SHOPS[next++] as string;
  target.acts = [];
  target.did = [];
  target.healthy = false;
  target.effectAnswer = "not_done";
  target.onAct = (_count, _run, { target: own }) => {
    if (own?.name === shop) target.healthy = true;
    return { ok: true, output: "restarted" };
  };
  const { items } = await app.admin.post<{ items: { playbook: Playbook }[] }>("/playbooks", {
    playbooks: [
      {
        name: `${shop}-hangs`,
        pattern: { alert_names: ["ShopHangs"], services: [shop] },
        steps: [
          { operation: "process.restart", target: { kind: "process", name: "cache" } },
          { operation: "process.restart", target: "{target}" },
        ],
      },
    ],
  });
  playbook = items[0]!.playbook;
  await app.admin.post(`/playbooks/${playbook.playbook_id}/approve`, { hash: playbook.hash });
});
afterAll(async () => {
  await app.stop();
  await clearFolder(folder);
  await database.drop();
});

async function fire(): Promise<{ incident_id: string; asked: Approval }> {
  const firing = alertmanagerBody([{ labels: { alertname: "ShopHangs", component: shop } }]);
  const incident_id = (await post(app.url, firing)).body.incident_id as string;
  const { approval_id } = await approvalIn(app.admin, incident_id, "pending");
  return { incident_id, asked: await app.admin.get<Approval>(`/approvals/${approval_id}`) };
}
const sign = ({ approval_id, plan_hash }: Approval) =>
  app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
const executionsOf = async (incident_id: string) =>
  (await app.admin.get<{ items: Execution[] }>(`/incidents/${incident_id}/executions`)).items.reverse();
const ended = (incident_id: string, steps: number) =>
  until(async () => {
    const items = await executionsOf(incident_id);
    return items.length === steps && items.every((one) => one.ended_at !== null) ? items : undefined;
  }, `${steps} steps to end`);
const textsOf = async (incident_id: string) =>
  (await app.admin.get<{ items: { text: string }[] }>(`/incidents/${incident_id}/timeline`)).items.map(
    (one) => one.text,
  );
const present = () => app.admin.get<Playbook>(`/playbooks/${playbook.playbook_id}`);

describe("a playbook of two steps", () => {
  it("is signed as a whole, carried out in order, verified at its end, and counted", async () => {
    const { incident_id, asked } = await fire();
    expect(asked).toMatchObject({
      matched_playbook_id: playbook.playbook_id,
      requested_by: "playbook",
      authority: "people",
      action: `Restart process cache, then restart process ${shop}`,
      steps: [{ target: { name: "cache" } }, { target: { name: shop } }],
    });
    expect(asked.dry_run_checks.map((one) => one.name)).toEqual([
      "step 1: target exists",
      "step 1: program",
      "step 2: target exists",
      "step 2: program",
    ]);
    const decision = await app.admin.get<{ source: string; confidence: number }>(
      `/incidents/${incident_id}/decision`,
    );
    expect(decision).toMatchObject({ source: "playbook", confidence: 0 });
    await sign(asked);
    const done = await concluded(app.admin, incident_id);
    expect(done.outcome).toMatchObject({ disposition: "human_approved", execution_success: true });
    const [first, second] = await executionsOf(incident_id);
    expect(first).toMatchObject({ step: 1, status: "success", verification: null, attempts: 1 });
    expect(second).toMatchObject({ step: 2, status: "success", verification: { result: "success" } });
    expect(target.did.map((one) => one.target?.name)).toEqual(["cache", shop]);
    expect(await app.admin.get(`/approvals/${asked.approval_id}`)).toMatchObject({
      status: "execution_success",
    });
    expect(await present()).toMatchObject({ runs: 1, successes: 1, failures: 0, trust: 0.25 });
    const { rows } = await database.pool.query(
      "select execution_id from repair_records where incident_id = $1",
      [incident_id],
    );
    expect(rows).toEqual([{ execution_id: second?.execution_id }]);
  });

  it("stops at the first step that fails, and says what was not begun", async () => {
    target.onAct = () => ({ ok: false, error: "permission denied", sent: false });
    const { incident_id, asked } = await fire();
    await sign(asked);
    const [only] = await ended(incident_id, 1);
    expect(only).toMatchObject({ step: 1, status: "failed", error: "permission denied" });
    await incidentIn(app.admin, incident_id, "investigating");
    expect(await textsOf(incident_id)).toContain("Stopped at step 1 of 2: no later step was begun");
    expect(target.did.map((one) => one.target?.name)).toEqual(["cache"]);
    expect(await app.admin.get(`/approvals/${asked.approval_id}`)).toMatchObject({
      status: "execution_failed",
    });
    expect(await present()).toMatchObject({ runs: 1, successes: 0, failures: 1, trust: 0 });
  });

  it.each([
    ["done", 2],
    ["cannot_tell", 1],
  ] as const)(
    "goes on after a step whose act broke off only where its effect is seen: %s",
    async (seen, steps) => {
      const { onAct } = target;
      target.onAct = (count, run, operation) =>
        count === 1 ? { ok: false, error: "denied half-way", sent: true } : onAct(count, run, operation);
      target.effectAnswer = seen;
      const { incident_id, asked } = await fire();
      await sign(asked);
      const items = await ended(incident_id, steps);
      expect(items.at(-1)?.status).toBe(steps === 2 ? "success" : "failed");
      expect(target.acts).toHaveLength(steps);
    },
  );

  it("fails as a whole when it did not help, whatever its steps say", async () => {
    target.onAct = () => ({ ok: true, output: "restarted" });
    const { incident_id, asked } = await fire();
    await sign(asked);
    const items = await ended(incident_id, 2);
    expect(items.map((one) => one.status)).toEqual(["success", "failed"]);
    expect(await present()).toMatchObject({ runs: 1, failures: 1 });
  });

  it("is refused at the step that was changed after it was signed", async () => {
    const { incident_id, asked } = await fire();
    const { onAct } = target;
    target.onAct = async (count, run, operation) => {
      if (count === 1)
        await database.pool.query(
          `update approvals set plan = jsonb_set(plan, '{further,0,target,name}', '"cache"') where approval_id = $1`,
          [asked.approval_id],
        );
      return onAct(count, run, operation);
    };
    await sign(asked);
    const items = await ended(incident_id, 2);
    expect(items[1]).toMatchObject({ status: "refused", error_code: "plan_mismatch", attempts: 0 });
    expect(target.acts).toHaveLength(1);
  });

  it("goes on after a crash where it was, and repeats no step", async () => {
    const { incident_id, asked } = await fire();
    const reached = Promise.withResolvers<void>();
    target.onAct = (count) => {
      if (count === 1) return { ok: true, output: "restarted" };
      reached.resolve();
      return new Promise(() => {});
    };
    await sign(asked);
    await reached.promise;
    await app.stop();
    // The second step had taken effect when the process ended: that is seen, and not done again.
    target.effectAnswer = "done";
    target.healthy = true;
    app = await start();
    const items = await ended(incident_id, 2);
    expect(items.map((one) => [one.status, one.attempts])).toEqual([
      ["success", 1],
      ["success", 1],
    ]);
    expect(target.did.map((one) => one.target?.name)).toEqual(["cache", shop]);
  });
});
