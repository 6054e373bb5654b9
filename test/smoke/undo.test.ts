import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Execution } from "../../src/contract/execution.ts";
import type { OperationLogEntry } from "../../src/contract/operation-log.ts";
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
import { restartOf } from "../support/approved.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { ScriptedTarget } from "../support/scripted-executor.ts";
import { until } from "../support/until.ts";

const SHOPS = Array.from({ length: 10 }, (_, at) => `shop-${at}`);
let next = 0;
let shop: string;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
const target = new ScriptedTarget();

beforeAll(async () => {
  database = await createDatabase();
  folder = await temporaryFolder("undo");
  app = await startTestApp(
    database.url,
    folder,
    {
      processes: SHOPS.map((name) => ({ name, argv: ["/bin/true"] })),
      incident: { correlation: { merge: false } },
      verification: SCRIPTED,
    },
    { adapt: (all) => ({ ...all, executors: [target.executor], observers: [target.observer] }) },
  );
});
beforeEach(() => {
  shop = SHOPS[next++] as string;
  target.healthy = false;
  target.undoAnswer = { ok: true, operation: restartOf(shop), leaves: "what it served meanwhile" };
  target.onAct = () => {
    target.healthy = true;
    return { ok: true, output: "restarted" };
  };
});
afterAll(async () => {
  await app.stop();
  await clearFolder(folder);
  await database.drop();
});

async function sign(approval_id: string): Promise<void> {
  const { plan_hash } = await until(async () => {
    const one = await app.admin.get<Approval>(`/approvals/${approval_id}`);
    return one.status === "pending" ? one : undefined;
  }, `${approval_id} to be pending`);
  await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
}

/** An incident whose repair was carried out; `helps` says whether it became healthy by it. */
async function repaired(helps: boolean): Promise<{ incident_id: string; execution: Execution }> {
  if (!helps) target.onAct = () => ({ ok: true, output: "restarted" });
  const firing = alertmanagerBody([{ labels: { alertname: "ShopDown", service: shop } }]);
  const incident_id = (await post(app.url, firing)).body.incident_id as string;
  await sign((await approvalIn(app.admin, incident_id, "pending")).approval_id);
  return { incident_id, execution: await ended(incident_id) };
}

/** The latest execution of an incident once it has ended and is not `but`. */
const ended = (incident_id: string, but?: string) =>
  until(async () => {
    const { items } = await app.admin.get<{ items: Execution[] }>(`/incidents/${incident_id}/executions`);
    const [one] = items;
    return one?.ended_at && one.execution_id !== but ? one : undefined;
  }, "the execution to end");

const undo = (execution_id: string, body?: object) =>
  app.admin.call("POST", `/executions/${execution_id}/undo`, body) as Promise<{
    status: number;
    body: Approval & { code?: string; detail?: string };
  }>;
const logOf = async (incident_id: string) =>
  (
    await app.admin.get<{ items: OperationLogEntry[] }>(`/operation-log?incident_id=${incident_id}`)
  ).items.reverse();

describe("undo", () => {
  it("is planned, signed, carried out and verified as any repair, and then both say so", async () => {
    const { incident_id, execution } = await repaired(false);
    expect(execution).toMatchObject({ status: "failed", undo: { possible: true }, undone_by: null });
    target.onAct = () => ({ ok: true, output: "put back" });
    const asked = await undo(execution.execution_id, { comment: "it made things worse" });
    expect(asked).toMatchObject({ status: 200, body: { incident_id, requested_by: "admin" } });
    await sign(asked.body.approval_id);
    const taken = await ended(incident_id, execution.execution_id);
    expect(taken).toMatchObject({ undoes: execution.execution_id, output: "put back" });
    const first = await app.admin.get<Execution>(`/executions/${execution.execution_id}`);
    expect(first).toMatchObject({ undone_by: taken.execution_id, status: "rolled_back" });
    expect(first.verification?.result).toBe("failed");
    // What is taken back is wrong again: that is no success, and not the end.
    expect((await incidentIn(app.admin, incident_id, "investigating")).status).toBe("investigating");
    // A row before each act and one after it, none of which is changed: what was taken back has one more.
    const log = await logOf(incident_id);
    expect(log.map(({ event, operation }) => [event, operation?.status ?? null])).toEqual([
      ["ALERT_RECEIVED", null],
      ["DRY_RUN_COMPLETED", "dry_run"],
      ["DRY_RUN_COMPLETED", "dry_run"],
      ["EXECUTION_STARTED", "pending"],
      ["EXECUTION_COMPLETED", "success"],
      ["VERIFICATION_COMPLETED", "failed"],
      ["DRY_RUN_COMPLETED", "dry_run"],
      ["DRY_RUN_COMPLETED", "dry_run"],
      ["EXECUTION_STARTED", "pending"],
      ["EXECUTION_COMPLETED", "success"],
      ["VERIFICATION_COMPLETED", "failed"],
      ["ROLLED_BACK", "rolled_back"],
    ]);
    const input = {
      text: `Restart process ${shop}`,
      operation: restartOf(shop),
      target: { name: shop },
      namespace: null,
    };
    const is = { operation_type: "process.restart", input };
    expect(log[1]?.operation).toMatchObject({ ...is, tags: ["planned", "process"], error: null });
    expect(log[4]?.operation).toMatchObject({ ...is, tags: ["human_approved", "process"], attempts: 1 });
    expect(log[4]?.operation).toMatchObject({ output: "restarted", error: null, stderr: null });
    expect(log[9]?.operation).toMatchObject({
      output: "put back",
      tags: ["human_approved", "process", "undo"],
    });
    expect(log[11]).toMatchObject({
      data: { undoes: first.execution_id },
      operation: { ...is, attempts: 1 },
    });
    expect(first).toMatchObject({ ...is, tags: ["human_approved", "process"] });
    expect(await undo(execution.execution_id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(`was already undone by ${taken.execution_id}`) },
    });
  });

  it("of a repair that helped opens its incident again, and the repair counts as one that did not hold", async () => {
    const { incident_id, execution } = await repaired(true);
    await concluded(app.admin, incident_id);
    const asked = await undo(execution.execution_id);
    expect(asked.status).toBe(200);
    expect((await app.admin.get<{ status: string }>(`/incidents/${incident_id}`)).status).toBe(
      "investigating",
    );
    await sign(asked.body.approval_id);
    const taken = await ended(incident_id, execution.execution_id);
    const kept = () =>
      database.pool.query("select execution_id, held from repair_records where incident_id = $1", [
        incident_id,
      ]);
    await until(async () => ((await kept()).rows[0]?.held === false ? true : undefined), "the record");
    expect((await kept()).rows).toEqual([{ execution_id: execution.execution_id, held: false }]);
    expect(taken.status).toBe("success");
    expect((await incidentIn(app.admin, incident_id, "investigating")).status).toBe("investigating");
  });

  it("that fails takes nothing back", async () => {
    const { incident_id, execution } = await repaired(false);
    target.onAct = () => ({ ok: false, error: "permission denied", sent: false });
    await sign((await undo(execution.execution_id)).body.approval_id);
    await ended(incident_id, execution.execution_id);
    expect(await app.admin.get(`/executions/${execution.execution_id}`)).toMatchObject({ undone_by: null });
    expect((await logOf(incident_id)).map((one) => one.event)).not.toContain("ROLLED_BACK");
    target.onAct = () => ({ ok: true, output: "put back" });
    expect((await undo(execution.execution_id)).status).toBe(200);
  });

  it("is refused where nothing takes it back, where another plan waits, and to those who only look", async () => {
    target.undoAnswer = { ok: false, reason: "a restart leaves nothing to take back" };
    const { execution } = await repaired(true);
    expect(await undo(execution.execution_id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining("a restart leaves nothing to take back") },
    });
    expect((await undo("EXE-NOTHERE")).status).toBe(404);
    const viewer = await person(app, "looks", "viewer");
    expect((await viewer.call("POST", `/executions/${execution.execution_id}/undo`)).status).toBe(403);

    shop = SHOPS[next++] as string;
    target.undoAnswer = { ok: true, operation: restartOf(shop), leaves: null };
    const other = await repaired(false);
    const first = await undo(other.execution.execution_id);
    expect(first.status).toBe(200);
    expect(await undo(other.execution.execution_id)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(first.body.approval_id) },
    });
  });
});
