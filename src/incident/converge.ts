import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Severity } from "../contract/common.ts";
import type { Ctx } from "../db/ctx.ts";
import { affectedServices, assignAlerts, type StoredAlert } from "../intake/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { incidentId } from "../lib/id.ts";
import { tell } from "../outbox/index.ts";
import { escalationLevel, escalationMoments } from "./escalation.ts";
import { type KnownTargets, operationTarget } from "./operation-target.ts";
import {
  ACTIVE,
  insertIncident,
  latestIncidents,
  lockFingerprints,
  timesOver,
  touchIncidents,
  updateIncident,
} from "./store.ts";
import { note } from "./timeline.ts";
import type { Convergence, IncidentRow, IncidentWindows } from "./types.ts";

export type ConvergeOptions = {
  windows: IncidentWindows;
  known: KnownTargets;
  /** The severity of an incident none of whose alerts carries one: it follows from what is proposed. */
  severityWithout: (alert: StoredAlert) => Severity;
};

/** The worse of two severities: P0 is the worst. */
export function worseSeverity(a: Severity, b: Severity): Severity {
  return a < b ? a : b;
}

export function isActive(incident: Pick<IncidentRow, "status">): boolean {
  return (ACTIVE as readonly string[]).includes(incident.status);
}

function byFingerprint(alerts: readonly StoredAlert[]): Map<string, StoredAlert[]> {
  const groups = new Map<string, StoredAlert[]>();
  for (const alert of alerts) {
    const group = groups.get(alert.fingerprint);
    if (group === undefined) groups.set(alert.fingerprint, [alert]);
    else group.push(alert);
  }
  return groups;
}

/** Whether trouble that is seen again at `now` continues an incident that was resolved. */
function continues(incident: IncidentRow, windows: IncidentWindows, now: Date, isNew: boolean): boolean {
  if (incident.status !== "resolved" || incident.resolved_at === null) return false;
  if (!isNew) return addSeconds(incident.resolved_at, windows.cool_down) <= now;
  const repaired =
    incident.resolved_through === "repair" && addSeconds(incident.resolved_at, windows.repair) > now;
  return repaired || addSeconds(incident.last_seen, windows.active) > now;
}

/** The tier of each fingerprint if its trouble begins now, for those whose trouble is not going on. */
async function levels(
  ctx: Ctx,
  fingerprints: readonly string[],
  windows: IncidentWindows,
): Promise<Map<string, number>> {
  const over = await timesOver(ctx, fingerprints, escalationMoments(ctx.clock.now()));
  const level = (key: string) =>
    escalationLevel(
      (over.get(key) ?? [0, 0, 0]).map((times) => times + 1),
      windows.escalation,
    );
  return new Map(fingerprints.map((key) => [key, level(key)]));
}

async function noteLevel(ctx: Ctx, { incident_id, escalation_level }: IncidentRow): Promise<void> {
  if (escalation_level === 1) return;
  const text = `It keeps coming back: tier ${escalation_level} of 4`;
  await note(ctx, { incident_id, kind: "status", text, data: { escalation_level } });
}

async function open(
  ctx: Ctx,
  group: readonly StoredAlert[],
  options: ConvergeOptions,
  escalation_level: number,
): Promise<IncidentRow> {
  const now = ctx.clock.now();
  const first = group[0];
  if (first === undefined) throw new Error("an incident needs an alert");
  const services = [...new Set(group.flatMap((alert) => affectedServices(alert)))];
  const known = group.flatMap((alert) => alert.severity ?? []);
  const incident = await insertIncident(ctx, {
    incident_id: incidentId(now, ctx.random),
    fingerprint: first.fingerprint,
    title: `${first.alert_name}: ${first.message}`.slice(0, 300).toWellFormed(),
    status: "investigating",
    severity: known.length > 0 ? known.reduce(worseSeverity) : options.severityWithout(first),
    alert_category: first.alert_category,
    notification_type: first.notification_type,
    affected_services: services,
    operation_target: operationTarget(first, services, options.known),
    hit_count: group.length,
    escalation_level,
    first_seen: now,
    last_seen: now,
    created_at: now,
    updated_at: now,
  });
  const { incident_id, severity, fingerprint } = incident;
  await note(ctx, {
    incident_id,
    kind: "alert",
    text: `${first.alert_name} fired for ${incident.operation_target?.name ?? first.target_resource}`,
    data: { alert_id: first.alert_id, source: first.source, message: first.message },
  });
  await noteLevel(ctx, incident);
  record(ctx, { action: "incident.opened", subject: incident_id, data: { fingerprint, severity } });
  await tell(ctx, { topic: "incident.opened", incident_id, payload: { severity } });
  return incident;
}

/** The incident's fields with what these new alerts add to them. */
function counted(ctx: Ctx, incident: IncidentRow, fresh: readonly StoredAlert[]) {
  const services = [...incident.affected_services, ...fresh.flatMap((alert) => affectedServices(alert))];
  return {
    hit_count: incident.hit_count + fresh.length,
    // A clock that was set back makes nothing younger.
    last_seen: new Date(Math.max(incident.last_seen.getTime(), ctx.clock.now().getTime())),
    severity: fresh.flatMap((alert) => alert.severity ?? []).reduce(worseSeverity, incident.severity),
    affected_services: [...new Set(services)],
  };
}

async function reopen(
  ctx: Ctx,
  incident: IncidentRow,
  fresh: readonly StoredAlert[],
  repair_failed: boolean,
  escalation_level: number,
): Promise<IncidentRow> {
  const reopened = await updateIncident(ctx, incident.incident_id, {
    ...counted(ctx, incident, fresh),
    status: "investigating",
    resolved_at: null,
    escalation_level: Math.max(escalation_level, incident.escalation_level),
  });
  const why = repair_failed ? "the trouble is back: the repair did not hold" : "the trouble is back";
  const { incident_id } = incident;
  await note(ctx, { incident_id, kind: "status", text: `Reopened: ${why}` });
  await noteLevel(ctx, reopened);
  record(ctx, { action: "incident.reopened", subject: incident_id, data: { repair_failed } });
  await tell(ctx, { topic: "incident.reopened", incident_id, payload: { repair_failed } });
  return reopened;
}

async function count(ctx: Ctx, incident: IncidentRow, fresh: readonly StoredAlert[]): Promise<IncidentRow> {
  const updated = await updateIncident(ctx, incident.incident_id, counted(ctx, incident, fresh));
  const worst = updated.severity;
  if (worst !== incident.severity) {
    const { incident_id } = incident;
    await note(ctx, {
      incident_id,
      kind: "alert",
      text: `Severity rose from ${incident.severity} to ${worst}`,
    });
    record(ctx, { action: "incident.raised", subject: incident_id, data: { severity: worst } });
    await tell(ctx, { topic: "incident.raised", incident_id, payload: { severity: worst } });
  }
  return updated;
}

/**
 * Brings firing alerts to their incidents: counts them on one that is open, reopens one that they
 * continue, or opens one. `firing` has one entry per instance; those that were known before only move
 * `last_seen`. The same alerts in any order lead to the same incidents.
 */
export async function converge(
  ctx: Ctx,
  firing: readonly StoredAlert[],
  options: ConvergeOptions,
): Promise<Convergence[]> {
  authorise(ctx.actor, "converge alerts", { people: "nobody", system: ["intake"] });
  if (firing.length === 0) return [];
  const now = ctx.clock.now();
  const groups = byFingerprint(firing);
  await lockFingerprints(ctx, [...groups.keys()]);
  const latest = await latestIncidents(ctx, [...groups.keys()]);
  const over = [...groups.keys()].filter((key) => {
    const before = latest.get(key);
    return before !== undefined && !isActive(before);
  });
  const tiers = await levels(ctx, over, options.windows);
  const outcome: Convergence[] = [];
  const touched: string[] = [];
  for (const [fingerprint, group] of groups) {
    const before = latest.get(fingerprint);
    const tier = tiers.get(fingerprint) ?? 1;
    const plain = { repair_failed: false, raised: false, needs_permanent_fix: false, alerts: group };
    // Said once for each spell of it: what AWOOOI says of itself is not said of again.
    const needs_permanent_fix =
      tier === 4 && before?.escalation_level !== 4 && before?.alert_category !== "flywheel_health";
    const fresh = group.filter((alert) => alert.is_new);
    if (before !== undefined && isActive(before)) {
      const incident = fresh.length > 0 ? await count(ctx, before, fresh) : before;
      if (fresh.length === 0) touched.push(before.incident_id);
      const raised = incident.severity !== before.severity;
      outcome.push({ ...plain, incident, kind: "converged", raised });
    } else if (before !== undefined && continues(before, options.windows, now, fresh.length > 0)) {
      // An alert that never stopped firing says the same of the repair as one that came back.
      const soon =
        before.resolved_at !== null && addSeconds(before.resolved_at, options.windows.repair) > now;
      const repair_failed = before.resolved_through === "repair" && (soon || fresh.length === 0);
      const incident = await reopen(ctx, before, fresh, repair_failed, tier);
      outcome.push({ ...plain, incident, kind: "reopened", repair_failed, needs_permanent_fix });
    } else if (fresh.length > 0 || before === undefined || before.status === "closed") {
      const incident = await open(ctx, group, options, tier);
      outcome.push({ ...plain, incident, kind: "opened", needs_permanent_fix });
    } else {
      // Known instances that still fire on an incident just resolved: it is given its cool-down.
      touched.push(before.incident_id);
      outcome.push({ ...plain, incident: before, kind: "converged" });
    }
  }
  await touchIncidents(ctx, touched, now);
  for (const { incident, alerts } of outcome) {
    const unassigned = alerts.filter((alert) => alert.incident_id !== incident.incident_id);
    await assignAlerts(
      ctx,
      incident.incident_id,
      unassigned.map((alert) => alert.alert_id),
    );
  }
  return outcome;
}
