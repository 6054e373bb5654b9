import { authorise } from "../access/index.ts";
import { findApproval } from "../approval/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { type ExecutionRow, findExecution } from "../execution/index.ts";
import { getIncident, note } from "../incident/index.ts";
import { inWords } from "../operation/index.ts";
import { recordRun, recordRunNotHeld } from "../playbook/index.ts";
import { insertRepair, type Unheld, unhold, unholdLatest, unholdRunOf } from "./store.ts";

/** Whose step an execution is, if it is one of a playbook's. */
async function playbookOf(ctx: Ctx, { approval_id }: ExecutionRow) {
  const { playbook_id, playbook_hash } = (await findApproval(ctx, approval_id))?.plan ?? {};
  return playbook_id === undefined ? undefined : { playbook_id, playbook_hash };
}

/** A run of a playbook that had worked did not hold. */
async function playbookDidNotHold(ctx: Ctx, { execution_id, counted }: Unheld): Promise<void> {
  if (!counted) return;
  const execution = await findExecution(ctx, execution_id);
  const playbook = execution && (await playbookOf(ctx, execution));
  if (playbook !== undefined) await recordRunNotHeld(ctx, { ...playbook, execution_id });
}

/** Learns from an execution that acted, by what its verification said. Once for each execution. */
export async function recordRepair(ctx: Ctx, execution: ExecutionRow): Promise<void> {
  authorise(ctx.actor, "record repairs", { people: "nobody", system: ["pipeline", "sweep"] });
  const { execution_id, incident_id, operation, verification, ended_at, undoes, step } = execution;
  // Taking something back is no repair: what was wrong before it may be wrong again.
  if (ended_at === null || undoes !== null) return;
  // A later step that was never begun ends what the steps before it did.
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

/** The trouble came back soon after a repair: that repair counts as failed from now on. */
export async function repairDidNotHold(ctx: Ctx, incident_id: string): Promise<void> {
  authorise(ctx.actor, "revise repairs", { people: "nobody", system: ["intake"] });
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

/** People took a repair back: it counts as failed from now on. */
export async function repairTakenBack(ctx: Ctx, execution_id: string): Promise<void> {
  authorise(ctx.actor, "revise repairs", { people: "nobody", system: ["pipeline", "sweep"] });
  const unheld = (await unhold(ctx, execution_id)) ?? (await unholdRunOf(ctx, execution_id));
  if (unheld === null) return;
  record(ctx, { action: "learning.not_held", subject: execution_id, data: { taken_back: true } });
  await playbookDidNotHold(ctx, unheld);
}
