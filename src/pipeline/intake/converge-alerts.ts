import { supersedeApproval, withStandingPlan } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { incidentsInExecution } from "../../execution/index.ts";
import { converge, notifyBegun } from "../../incident/index.ts";
import type { StoredAlert } from "../../intake/index.ts";
import { repairDidNotHold } from "../../learning/index.ts";
import { askForApproval, severityWithout } from "../response/request-approval.ts";
import type { PipelineDeps } from "../types.ts";
import { type Correlated, correlate } from "./correlate.ts";
import { journalPermanentFix } from "./permanent-fix.ts";

const namesOf = (alerts: readonly StoredAlert[]) => [...new Set(alerts.map((alert) => alert.alert_name))];

/**
 * Decides again about incidents whose severity rose, unless a plan is being prepared, awaits approval, is signed or is
 * executed.
 */
async function raise(ctx: Ctx, deps: PipelineDeps, raised: Correlated["raised"]): Promise<void> {
  const ids = raised.map((one) => one.incident.incident_id);
  const standing = await withStandingPlan(ctx, ids);
  const acting = await incidentsInExecution(ctx, ids);
  for (const { incident, alert_names } of raised) {
    if (standing.has(incident.incident_id) || acting.has(incident.incident_id)) continue;
    await askForApproval(ctx, deps, incident, alert_names);
  }
}

/**
 * Converges firing alerts into incidents, requests approval for those opened or reopened, and decides again about those
 * raised. Returns the incident id by alert id. The caller holds the lock on the alerts' fingerprints.
 */
export async function convergeAlerts(
  ctx: Ctx,
  deps: PipelineDeps,
  firing: readonly StoredAlert[],
): Promise<Map<string, string>> {
  const outcome = await converge(ctx, firing, {
    windows: deps.windows,
    known: deps.known,
    severityWithout: (alert) => severityWithout(deps, alert),
  });
  const { quiet, now, raised } = await correlate(ctx, deps.correlation, outcome);
  for (const one of outcome) {
    const { kind, repair_failed, needs_permanent_fix, alerts } = one;
    const incident = now.get(one.incident.incident_id) ?? one.incident;
    if (repair_failed) await repairDidNotHold(ctx, incident.incident_id);
    // An effect is neither announced nor decided about: its main incident is.
    if (quiet.has(incident.incident_id)) continue;
    notifyBegun(ctx, { ...one, incident });
    if (needs_permanent_fix) await journalPermanentFix(ctx, incident);
    // An approval from before the resolution may still be open: the workflow that withdraws it may not have run yet.
    if (kind === "reopened") await supersedeApproval(ctx, incident.incident_id, "the problem is back");
    if (kind !== "converged") await askForApproval(ctx, deps, incident, namesOf(alerts));
  }
  const risen = outcome
    .filter((one) => one.raised && !quiet.has(one.incident.incident_id))
    .map(({ incident, alerts }) => ({
      incident: now.get(incident.incident_id) ?? incident,
      alert_names: namesOf(alerts),
    }));
  // An incident may be in both lists. The last entry wins, so that it is decided again only once.
  const last = new Map([...risen, ...raised].map((one) => [one.incident.incident_id, one]));
  // A main incident raised by its effects may itself have been merged into another since.
  for (const id of quiet) last.delete(id);
  await raise(ctx, deps, [...last.values()]);
  return new Map(
    outcome.flatMap(({ incident, alerts }) => alerts.map((alert) => [alert.alert_id, incident.incident_id])),
  );
}
