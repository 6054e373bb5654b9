import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { approved } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, type Person, type SetClock, setClock } from "../../test/support/pipeline-deps.ts";
import type { Verification } from "../contract/execution.ts";
import { transaction } from "../db/transaction.ts";
import { beginExecution, type ExecutionRow, getExecution } from "../execution/index.ts";
import { updateExecution } from "../execution/store.ts";
import { getIncident, latestResolutions } from "../incident/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { QueuedWork } from "../outbox/index.ts";
import { recordRepair, repairDidNotHold } from "./record-repair.ts";
import { dispositionOf, recordResolution } from "./record-resolution.ts";
import { repairsOf } from "./store.ts";

let database: TestDatabase;
let clock: SetClock;
let ada: Person;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
});
afterAll(() => database.drop());
beforeEach(() => clock.forward(1_000));

const system = (name: Extract<Actor, { kind: "system" }>["name"]) =>
  database.ctx({ kind: "system", name }, clock);
const OPTIONS = { deadline: 1_200 } as Parameters<typeof beginExecution>[2];

/** An execution that acted for 5 seconds and was found to be like this. */
async function executed(result: Verification["result"] | null, incident?: string): Promise<ExecutionRow> {
  const { approval_id } = await approved([ada], database, clock);
  const ctx = system("pipeline");
  const { execution_id } = await beginExecution(ctx, approval_id, OPTIONS);
  const started_at = clock.now();
  clock.forward(5);
  const verification = result && { result, reason: "", evidence: { before: null, after: null } };
  await updateExecution(ctx, execution_id, {
    status: result === "success" ? "success" : "failed",
    attempts: 1,
    started_at,
    ended_at: clock.now(),
    verification,
    ...(incident === undefined ? {} : { incident_id: incident }),
  });
  return getExecution(ctx, execution_id);
}
const learn = (execution: ExecutionRow) =>
  transaction(system("pipeline"), (tx) => recordRepair(tx, execution));
const didNotHold = (incident_id: string) =>
  transaction(system("intake"), (tx) => repairDidNotHold(tx, incident_id));
async function repairsFor(incident_id: string) {
  const { anomaly_key } = await getIncident(system("pipeline"), incident_id);
  return repairsOf(system("pipeline"), anomaly_key);
}
async function actionsOn(subject: string) {
  const { rows } = await database.pool.query(
    "select action from audit_entries where subject = $1 and action like 'learning.%' order by seq",
    [subject],
  );
  return rows.map((row) => row.action);
}

describe("learning from a repair", () => {
  it("keeps what was done, how long it took and what was found, once for each execution", async () => {
    const execution = await executed("success");
    await Promise.all([learn(execution), learn(execution)]);
    await learn({ ...execution, verification: null });
    expect(await repairsFor(execution.incident_id)).toMatchObject([
      {
        execution_id: execution.execution_id,
        action: "process.restart",
        success: true,
        verification: "success",
        held: true,
        duration_ms: 5_000,
      },
    ]);
    expect(await actionsOn(execution.execution_id)).toEqual(["learning.repair"]);
  });

  it.each([
    ["success", true],
    ["degraded", false],
    ["failed", false],
    ["inconclusive", false],
    [null, false],
  ] as const)("learns from what was verified, not from what was claimed: %s", async (result, success) => {
    const execution = await executed(result);
    await learn(execution);
    const verification = result ?? "inconclusive";
    expect(await repairsFor(execution.incident_id)).toMatchObject([{ success, verification }]);
  });

  it("learns nothing from what never acted", async () => {
    const execution = await executed(null);
    await learn({ ...execution, started_at: null });
    expect(await repairsFor(execution.incident_id)).toEqual([]);
  });

  it("leaves nothing behind when what it belongs to fails", async () => {
    const execution = await executed("success");
    const failing = transaction(system("pipeline"), async (tx) => {
      await recordRepair(tx, execution);
      throw new Error("broken");
    });
    await expect(failing).rejects.toThrow("broken");
    expect(await repairsFor(execution.incident_id)).toEqual([]);
    expect(await actionsOn(execution.execution_id)).toEqual([]);
  });
});

describe("a repair that did not hold", () => {
  it("is the latest one that worked, and only that", async () => {
    const first = await executed("success");
    const { incident_id } = first;
    const second = await executed("success", incident_id);
    const third = await executed("failed", incident_id);
    for (const one of [first, second, third]) await learn(one);
    await didNotHold(incident_id);
    const held = new Map((await repairsFor(incident_id)).map((one) => [one.execution_id, one.held]));
    expect(held).toEqual(
      new Map([
        [first.execution_id, true],
        [second.execution_id, false],
        [third.execution_id, true],
      ]),
    );
    expect(await actionsOn(second.execution_id)).toEqual(["learning.repair", "learning.not_held"]);
  });

  it("is none where nothing of ours worked", async () => {
    const failed = await executed("failed");
    await learn(failed);
    await didNotHold(failed.incident_id);
    expect(await repairsFor(failed.incident_id)).toMatchObject([{ held: true }]);
    expect(await actionsOn(failed.execution_id)).toEqual(["learning.repair"]);
  });
});

describe("how an anomaly ended", () => {
  const resolved = (incident_id: string, resolution = 1): Extract<QueuedWork, { kind: "conclude" }> => ({
    kind: "conclude",
    incident_id,
    resolution,
    through: "repair",
    resolved_by: "pipeline (system)",
    resolved_at: clock.now().toISOString(),
    execution_id: null,
  });

  it("is people's approval only where a verified repair of ours brought it about", () => {
    expect(dispositionOf("repair")).toBe("human_approved");
    expect(dispositionOf("notice")).toBe("manual_resolved");
    expect(dispositionOf("person")).toBe("manual_resolved");
  });

  it("is kept once for each resolution; the first that is kept stays", async () => {
    const { incident_id } = await approved([ada], database, clock);
    const ctx = system("pipeline");
    await Promise.all([
      recordResolution(ctx, resolved(incident_id)),
      recordResolution(ctx, resolved(incident_id)),
    ]);
    await recordResolution(ctx, { ...resolved(incident_id), through: "person", resolved_by: "ada" });
    const { rows } = await database.pool.query("select disposition from resolutions where incident_id = $1", [
      incident_id,
    ]);
    expect(rows).toEqual([{ disposition: "human_approved" }]);
    expect(await actionsOn(incident_id)).toEqual(["learning.disposition"]);
  });

  it("is the latest resolution's, in whatever order they are kept", async () => {
    const { incident_id } = await approved([ada], database, clock);
    const ctx = system("pipeline");
    await recordResolution(ctx, { ...resolved(incident_id, 2), through: "person", resolved_by: "ada" });
    await recordResolution(ctx, resolved(incident_id, 1));
    expect((await latestResolutions(ctx, [incident_id])).get(incident_id)).toMatchObject({
      resolution: 2,
      disposition: "manual_resolved",
      resolved_by: "ada",
    });
  });

  it("is recorded by the pipeline alone", async () => {
    const { incident_id } = await approved([ada], database, clock);
    for (const actor of [ada, { kind: "sender", name: "alertmanager" }] as Actor[]) {
      const recording = recordResolution(database.ctx(actor, clock), resolved(incident_id));
      await expect(recording).rejects.toMatchObject({ code: "forbidden" });
    }
  });
});
