import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import type { ExecutionRow } from "../execution/index.ts";
import { getIncident, note } from "../incident/index.ts";
import { inWords } from "../operation/index.ts";
import { insertRepair, unhold, unholdLatest } from "./store.ts";

/** Learns from an execution that acted, by what its verification said. Once for each execution. */
export async function recordRepair(ctx: Ctx, execution: ExecutionRow): Promise<void> {
  authorise(ctx.actor, "record repairs", { people: "nobody", system: ["pipeline", "sweep"] });
  const { execution_id, incident_id, operation, verification, started_at, ended_at, undoes } = execution;
  // Taking something back is no repair: what was wrong before it may be wrong again.
  if (started_at === null || ended_at === null || undoes !== null) return;
  const { fingerprint: anomaly_key } = await getIncident(ctx, incident_id);
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
  if (kept) record(ctx, { action: "learning.repair", subject: execution_id, data: { anomaly_key, success } });
}

/** The trouble came back soon after a repair: that repair counts as failed from now on. */
export async function repairDidNotHold(ctx: Ctx, incident_id: string): Promise<void> {
  authorise(ctx.actor, "revise repairs", { people: "nobody", system: ["intake"] });
  const execution_id = await unholdLatest(ctx, incident_id);
  if (execution_id === null) return;
  note(ctx, {
    incident_id,
    kind: "status",
    text: "The repair counts as failed: it did not hold",
    data: { execution_id },
  });
  record(ctx, { action: "learning.not_held", subject: execution_id, data: { incident_id } });
}

/** People took a repair back: it counts as failed from now on. */
export async function repairTakenBack(ctx: Ctx, execution_id: string): Promise<void> {
  authorise(ctx.actor, "revise repairs", { people: "nobody", system: ["pipeline", "sweep"] });
  if (!(await unhold(ctx, execution_id))) return;
  record(ctx, { action: "learning.not_held", subject: execution_id, data: { taken_back: true } });
}
