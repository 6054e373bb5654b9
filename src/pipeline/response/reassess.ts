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
import { asksFirst, type DecisionRow, decideAgain, latestDecisions } from "../../decision/index.ts";
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

/** Whether anything configured can read facts about what an incident is about. */
export function canLookInto(
  { investigators }: PipelineDeps,
  { operation_target: target }: IncidentRow,
): boolean {
  return target !== null && investigators.some((one) => one.investigates(target));
}

/** Decides anew about an incident where its evidence says something else than its alerts' names did. */
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
  if (decision !== null && asksFirst(decision.policy)) {
    if (open === undefined) await requestApproval(tx, { incident, decision }, deps.approval);
    else await replanApproval(tx, { approval: open, incident, decision }, deps.approval);
    return;
  }
  if (open !== undefined) {
    // Its plan stands as it is, and will be before people.
    if (decision === null) return;
    await supersedeApproval(tx, incident_id, decision.summary);
  }
  // No card will ask: people hear what was found all the same.
  if (findings.length + candidates.length > 0)
    notify(tx, { topic: "incident.diagnosed", incident_id, payload: {} });
}

/**
 * Reads facts about what an incident is about, and decides by them: evidence beats the names of alerts. Does
 * nothing where nothing can be read, or another decision than `token` has been made, or its plan is before
 * people already. Changes nothing outside.
 */
export async function reassess(
  deps: PipelineDeps,
  about: { incident_id: string; token: string },
): Promise<void> {
  const { incident_id, token } = about;
  const ctx = deps.as("pipeline");
  const before = await getIncident(ctx, incident_id);
  const { operation_target: target } = before;
  if (target === null || !canLookInto(deps, before)) return;
  const labels = await firingLabelsOf(ctx, incident_id);
  const look = (at: OperationTarget) =>
    investigate(ctx, { incident_id, target: at, labels }, deps.investigators, deps.evidence);
  let found = await look(target);
  // What is a node of no cluster may be a machine that we reach otherwise.
  const host = target.kind === "node" && hostNamed(target.name, deps.known.hosts);
  if (found.target === null && host) found = await look(host);
  await transaction(ctx, async (tx) => {
    const locked = await lockIncident(tx, incident_id);
    if (locked === undefined || !isActive(locked)) return;
    await keepEvidence(tx, incident_id, found);
    const latest = (await latestDecisions(tx, [incident_id])).get(incident_id);
    const open = await openApprovalOf(tx, incident_id);
    // What was merged or decided otherwise meanwhile, or is before people, has its answer.
    if (locked.merged_into !== null || latest?.token !== token || latest.state === "superseded") return;
    if (open !== undefined && open.status !== "preparing") return;
    // That people want something taken back, no evidence speaks against.
    if (latest.source === "undo") return;
    // Of several that may be meant none is aimed at: the alerts' own words stay.
    const incident = found.candidates?.length ? locked : await setTarget(tx, locked, found.target);
    await decideBy(tx, deps, incident, found, { present: latest, open });
  });
}
