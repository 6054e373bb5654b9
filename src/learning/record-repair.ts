import { authorise } from "../access/index.ts";
import { findApproval } from "../approval/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { type ExecutionRow, findExecution } from "../execution/index.ts";
import { getIncident, note } from "../incident/index.ts";
import { inWords } from "../operation/index.ts";
import { recordRun, recordRunNotHeld } from "../playbook/index.ts";
import { insertRepair, type Unheld, unhold, unholdLatest, unholdRunOf } from "./store.ts";

/** Returns the playbook that an execution is a step of, if any. */
async function playbookOf(ctx: Ctx, { approval_id }: ExecutionRow) {
  const { playbook_id, playbook_hash } = (await findApproval(ctx, approval_id))?.plan ?? {};
  return playbook_id === undefined ? undefined : { playbook_id, playbook_hash };
}

/** Records for the playbook that a run which had counted as a success did not hold. */
async function playbookDidNotHold(ctx: Ctx, { execution_id, counted }: Unheld): Promise<void> {
  if (!counted) return;
  const execution = await findExecution(ctx, execution_id);
  const playbook = execution && (await playbookOf(ctx, execution));
  if (playbook !== undefined) await recordRunNotHeld(ctx, { ...playbook, execution_id });
}

/** Records an execution that acted as a repair, with the result of its verification. Once for each execution. */
export async function recordRepair(ctx: Ctx, execution: ExecutionRow): Promise<void> {
  authorise(ctx.actor, "record repairs", { people: "none", system: ["pipeline", "sweep"] });
  const { execution_id, incident_id, operation, verification, ended_at, undoes, step } = execution;
  // An undo is no repair: it may bring the original trouble back.
  if (ended_at === null || undoes !== null) return;
  // A later step that never began still ends a run whose earlier steps acted: its duration counts from its creation.
  const started_at = execution.started_at ?? (step > 1 ? execution.created_at : null);
  if (started_at === null) return;
  const { anomaly_key } = await getIncident(ctx, incident_id);
  const success = verification?.result === "success";
  const kept = await insertRepair(ctx, {
    execution_id,
    incident_id,
    anomaly_key,
    action: operation.kind,
    success,
    verification: verification?.result ?? "inconclusive",
    fix: inWords(operation),
    duration_ms: ended_at.getTime() - started_at.getTime(),
    at: ended_at,
  });
  if (!kept) return;
  record(ctx, { action: "learning.repair", subject: execution_id, data: { anomaly_key, success } });
  const playbook = await playbookOf(ctx, execution);
  if (playbook !== undefined) await recordRun(ctx, { ...playbook, success, execution_id });
}

/** Marks the latest successful repair of an incident as failed, because the trouble came back soon after it. */
export async function repairDidNotHold(ctx: Ctx, incident_id: string): Promise<void> {
  authorise(ctx.actor, "revise repairs", { people: "none", system: ["intake"] });
  const unheld = await unholdLatest(ctx, incident_id);
  if (unheld === null) return;
  const { execution_id } = unheld;
  note(ctx, {
    incident_id,
    kind: "status",
    text: "The repair counts as failed: it did not hold",
    data: { execution_id },
  });
  record(ctx, { action: "learning.not_held", subject: execution_id, data: { incident_id } });
  await playbookDidNotHold(ctx, unheld);
}

/** Marks a repair as failed, because people undid it. */
export async function repairTakenBack(ctx: Ctx, execution_id: string): Promise<void> {
  authorise(ctx.actor, "revise repairs", { people: "none", system: ["pipeline", "sweep"] });
  const unheld = (await unhold(ctx, execution_id)) ?? (await unholdRunOf(ctx, execution_id));
  if (unheld === null) return;
  record(ctx, { action: "learning.not_held", subject: execution_id, data: { taken_back: true } });
  await playbookDidNotHold(ctx, unheld);
}
