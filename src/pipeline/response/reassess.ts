import {
  type ApprovalRow,
  openApprovalOf,
  replanApproval,
  requestApproval,
  supersedeApproval,
} from "../../approval/index.ts";
import type { Investigation } from "../../contract/evidence.ts";
import type { OperationTarget } from "../../contract/incident.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { type DecisionRow, decideAgain, latestDecisions, needsApproval } from "../../decision/index.ts";
import {
  getIncident,
  hostNamed,
  type IncidentRow,
  isActive,
  lockIncident,
  setTarget,
} from "../../incident/index.ts";
import { alertNamesOf, firingLabelsOf } from "../../intake/index.ts";
import { investigate, keepEvidence } from "../../investigation/index.ts";
import { notify } from "../../outbox/index.ts";
import type { PipelineDeps } from "../types.ts";

/** Returns whether a configured investigator can read facts about the incident's target. */
export function canInvestigate(
  { investigators }: PipelineDeps,
  { operation_target: target }: IncidentRow,
): boolean {
  return target !== null && investigators.some((one) => one.investigates(target));
}

/** Decides again about an incident where its evidence contradicts the decision made from its alerts' names. */
async function decideBy(
  tx: Ctx,
  deps: PipelineDeps,
  incident: IncidentRow,
  { findings, candidates = [] }: Investigation,
  { present, open }: { present: DecisionRow; open: ApprovalRow | undefined },
): Promise<void> {
  const { incident_id } = incident;
  const alert_names = await alertNamesOf(tx, incident_id);
  const decision = await decideAgain(
    tx,
    { incident, alert_names, findings, candidates },
    present,
    deps.decide,
  );
  if (decision !== null && needsApproval(decision.policy)) {
    if (open === undefined) await requestApproval(tx, { incident, decision }, deps.approval);
    else await replanApproval(tx, { approval: open, incident, decision }, deps.approval);
    return;
  }
  if (open !== undefined) {
    // The plan stands unchanged and will be presented.
    if (decision === null) return;
    await supersedeApproval(tx, incident_id, decision.summary);
  }
  // No approval will be requested: people get a notice of the findings all the same.
  if (findings.length + candidates.length > 0)
    notify(tx, { topic: "incident.diagnosed", incident_id, payload: {} });
}

/**
 * Reads facts about an incident's target and decides by them: evidence beats alert names. Does nothing where no
 * investigator can read the target, where a decision other than `token` has been made, or where the plan is already
 * presented. Read-only outside the database.
 */
export async function reassess(
  deps: PipelineDeps,
  about: { incident_id: string; token: string },
): Promise<void> {
  const { incident_id, token } = about;
  const ctx = deps.as("pipeline");
  const before = await getIncident(ctx, incident_id);
  const { operation_target: target } = before;
  if (target === null || !canInvestigate(deps, before)) return;
  const labels = await firingLabelsOf(ctx, incident_id);
  const look = (at: OperationTarget) =>
    investigate(ctx, { incident_id, target: at, labels }, deps.investigators, deps.evidence);
  let found = await look(target);
  // A node that no cluster knows may be a configured host.
  const host = target.kind === "node" && hostNamed(target.name, deps.known.hosts);
  if (found.target === null && host) found = await look(host);
  await transaction(ctx, async (tx) => {
    const locked = await lockIncident(tx, incident_id);
    if (locked === undefined || !isActive(locked)) return;
    await keepEvidence(tx, incident_id, found);
    const latest = (await latestDecisions(tx, [incident_id])).get(incident_id);
    const open = await openApprovalOf(tx, incident_id);
    // Skips incidents that were meanwhile merged, decided otherwise, or whose plan is presented.
    if (locked.merged_into !== null || latest?.token !== token || latest.state === "superseded") return;
    if (open !== undefined && open.status !== "preparing") return;
    // A person asked for this undo: evidence does not change it.
    if (latest.source === "undo") return;
    // With several candidates none is chosen: the target named by the alerts stays.
    const incident = found.candidates?.length ? locked : await setTarget(tx, locked, found.target);
    await decideBy(tx, deps, incident, found, { present: latest, open });
  });
}
