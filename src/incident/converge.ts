import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Severity } from "../contract/common.ts";
import type { Ctx } from "../db/ctx.ts";
import { affectedServices, type StoredAlert } from "../intake/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { tell } from "../outbox/index.ts";
import { type KnownTargets, operationTarget } from "./operation-target.ts";
import {
  ACTIVE,
  countIncidents,
  insertIncidents,
  latestIncidents,
  type NewIncident,
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

// Whoever sends another service with every alert must not make the incident grow without end.
const SERVICES = 100;
// Of an incident about which nothing is decided.
const INFORMATION = "TYPE-1";

/** The worse of two severities: P0 is the worst. */
export function worseSeverity(a: Severity, b: Severity): Severity {
  return a < b ? a : b;
}

export function isActive(incident: Pick<IncidentRow, "status">): boolean {
  return (ACTIVE as readonly string[]).includes(incident.status);
}

type Group = [StoredAlert, ...StoredAlert[]];

function byFingerprint(alerts: readonly StoredAlert[]): Map<string, Group> {
  const groups = new Map<string, Group>();
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

function draft(ctx: Ctx, group: Group, options: ConvergeOptions): NewIncident {
  const now = ctx.clock.now();
  // Trouble among information makes it trouble.
  const first = group.find((alert) => alert.notification_type !== INFORMATION) ?? group[0];
  const services = [...new Set(group.flatMap((alert) => affectedServices(alert)))];
  const known = group.flatMap((alert) => alert.severity ?? []);
  return {
    fingerprint: first.fingerprint,
    title: `${first.alert_name}: ${first.message}`.slice(0, 300).toWellFormed(),
    status: "investigating",
    severity: known.length > 0 ? known.reduce(worseSeverity) : options.severityWithout(first),
    alert_category: first.alert_category,
    notification_type: first.notification_type,
    affected_services: services,
    operation_target: operationTarget(first, services, options.known),
    hit_count: group.length,
    first_seen: now,
    last_seen: now,
    created_at: now,
    updated_at: now,
  };
}

function tellOpened(ctx: Ctx, incident: IncidentRow, [first]: Group): void {
  const { incident_id, severity, fingerprint } = incident;
  note(ctx, {
    incident_id,
    kind: "alert",
    text: `${first.alert_name} fired for ${incident.operation_target?.name ?? first.target_resource}`,
    data: { alert_id: first.alert_id, source: first.source, message: first.message },
  });
  record(ctx, { action: "incident.opened", subject: incident_id, data: { fingerprint, severity } });
  tell(ctx, { topic: "incident.opened", incident_id, payload: { severity } });
}

/** What an incident is about: information becomes what the first alert says that is more. */
function kindOf(incident: IncidentRow, fresh: readonly StoredAlert[]) {
  const { alert_category, notification_type } =
    incident.notification_type === INFORMATION
      ? (fresh.find((alert) => alert.notification_type !== INFORMATION) ?? incident)
      : incident;
  return { alert_category, notification_type };
}

/** The incident's fields with what these new alerts add to them. */
function counted(ctx: Ctx, incident: IncidentRow, fresh: readonly StoredAlert[]) {
  const services = [...incident.affected_services, ...fresh.flatMap((alert) => affectedServices(alert))];
  return {
    hit_count: incident.hit_count + fresh.length,
    last_seen: ctx.clock.now(),
    severity: fresh.flatMap((alert) => alert.severity ?? []).reduce(worseSeverity, incident.severity),
    affected_services: [...new Set(services)].slice(0, SERVICES),
    ...kindOf(incident, fresh),
    updated_at: fresh.length > 0 ? ctx.clock.now() : incident.updated_at,
  };
}

async function reopen(
  ctx: Ctx,
  incident: IncidentRow,
  fresh: readonly StoredAlert[],
  repair_failed: boolean,
): Promise<IncidentRow> {
  const reopened = await updateIncident(ctx, incident.incident_id, {
    ...counted(ctx, incident, fresh),
    status: "investigating",
    resolved_at: null,
  });
  const why = repair_failed ? "the trouble is back: the repair did not hold" : "the trouble is back";
  const { incident_id } = incident;
  note(ctx, { incident_id, kind: "status", text: `Reopened: ${why}` });
  record(ctx, { action: "incident.reopened", subject: incident_id, data: { repair_failed } });
  tell(ctx, { topic: "incident.reopened", incident_id, payload: { repair_failed } });
  return reopened;
}

function tellRaised(ctx: Ctx, { incident_id, severity }: IncidentRow, before: Severity): void {
  if (severity === before) return;
  note(ctx, { incident_id, kind: "alert", text: `Severity rose from ${before} to ${severity}` });
  record(ctx, { action: "incident.raised", subject: incident_id, data: { severity } });
  tell(ctx, { topic: "incident.raised", incident_id, payload: { severity } });
}

/** What a group of alerts comes to on an incident that is there already; undefined when it opens one. */
async function onExisting(
  ctx: Ctx,
  before: IncidentRow,
  alerts: StoredAlert[],
  windows: IncidentWindows,
): Promise<Convergence | undefined> {
  const fresh = alerts.filter((alert) => alert.is_new);
  const same = { repair_failed: false, raised: false, alerts };
  if (isActive(before)) {
    const incident = { ...before, ...counted(ctx, before, fresh) };
    const more = incident.notification_type !== before.notification_type;
    return { ...same, incident, kind: "converged", raised: more || incident.severity !== before.severity };
  }
  const now = ctx.clock.now();
  if (continues(before, windows, now, fresh.length > 0)) {
    const repair_failed =
      before.resolved_through === "repair" &&
      before.resolved_at !== null &&
      addSeconds(before.resolved_at, windows.repair) > now;
    const incident = await reopen(ctx, before, fresh, repair_failed);
    return { ...same, incident, kind: "reopened", repair_failed };
  }
  // Known instances that still fire on an incident just resolved: it is given its cool-down.
  if (fresh.length === 0) return { ...same, incident: { ...before, last_seen: now }, kind: "converged" };
  return undefined;
}

async function openAll(ctx: Ctx, groups: readonly Group[], options: ConvergeOptions): Promise<Convergence[]> {
  const drafts = groups.map((group) => draft(ctx, group, options));
  const opened = await insertIncidents(ctx, drafts);
  return groups.flatMap((group) => {
    const incident = opened.get(group[0].fingerprint);
    if (incident === undefined) return [];
    tellOpened(ctx, incident, group);
    return { incident, kind: "opened" as const, repair_failed: false, raised: false, alerts: [...group] };
  });
}

/**
 * Brings firing alerts to their incidents: counts them on one that is open, reopens one that they
 * continue, or opens one. `firing` has one entry per instance, their fingerprints are locked; those that
 * were known before only move `last_seen`. The same alerts in any order lead to the same incidents.
 */
export async function converge(
  ctx: Ctx,
  firing: readonly StoredAlert[],
  options: ConvergeOptions,
): Promise<Convergence[]> {
  authorise(ctx.actor, "converge alerts", { people: "nobody", system: ["intake"] });
  if (firing.length === 0) return [];
  const groups = byFingerprint(firing);
  const latest = await latestIncidents(ctx, [...groups.keys()]);
  const outcome: Convergence[] = [];
  const opening: Group[] = [];
  for (const [fingerprint, group] of groups) {
    const before = latest.get(fingerprint);
    const existing = before && (await onExisting(ctx, before, group, options.windows));
    if (existing === undefined) opening.push(group);
    else outcome.push(existing);
    if (before !== undefined && existing !== undefined && isActive(before))
      tellRaised(ctx, existing.incident, before.severity);
  }
  await countIncidents(
    ctx,
    outcome.map((one) => one.incident),
  );
  return [...outcome, ...(await openAll(ctx, opening, options))];
}
