import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Severity } from "../contract/common.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { affectedServices, KEY_VERSION, type StoredAlert } from "../intake/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { notify } from "../outbox/index.ts";
import { escalationLevel, escalationMoments } from "./escalation.ts";
import { frequencies, type Often, withMore } from "./frequency/count.ts";
import { type KnownTargets, operationTarget } from "./operation-target.ts";
import {
  ACTIVE,
  activeIncidents,
  countIncidents,
  insertIncidents,
  latestIncidents,
  type NewIncident,
  timesOver,
  updateIncident,
} from "./store.ts";
import { note } from "./timeline.ts";
import type { Convergence, IncidentRow, IncidentWindows } from "./types.ts";

export type ConvergeOptions = {
  windows: IncidentWindows;
  known: KnownTargets;
  /** Returns the severity of an incident whose alerts carry none, from the risk of the proposed plan. */
  severityWithout: (alert: StoredAlert) => Severity;
};

// Limits the services of an incident, which a sender could otherwise grow without end.
export const SERVICES = 100;
// Notification type of information, about which no decision is made.
const INFORMATION = "TYPE-1";

/** Returns the worse of two severities: P0 is the worst. */
export function worseSeverity(a: Severity, b: Severity): Severity {
  return a < b ? a : b;
}

export function isActive(incident: Pick<IncidentRow, "status">): boolean {
  return (ACTIVE as readonly string[]).includes(incident.status);
}

/** Whether an alert is new, and not already known from another source. */
const isNews = ({ is_new, same_as }: StoredAlert) => is_new && (same_as ?? null) === null;

/** Counts the outages of these alerts, including folded ones, which were too short for rows of their own. */
const outagesOf = (alerts: readonly StoredAlert[]) =>
  alerts.reduce((sum, { is_new, folded = 0 }) => sum + 1 + (is_new ? folded : 0), 0);

type Group = [StoredAlert, ...StoredAlert[]];
/** Alerts that open an incident, with its escalation tier. */
type Opening = { group: Group; tier: number; needs_permanent_fix: boolean };

type GroupWithIncident = { group: Group; before: IncidentRow | undefined };

/**
 * Groups alerts by incident, by their fingerprint, with the existing incident where there is one. An alert already counted
 * on an active incident stays there, even if its fingerprint has changed.
 */
async function byIncident(ctx: Ctx, alerts: readonly StoredAlert[]): Promise<GroupWithIncident[]> {
  const latest = await latestIncidents(ctx, [...new Set(alerts.map((alert) => alert.fingerprint))]);
  const elsewhere = alerts.flatMap(({ is_new, incident_id, fingerprint }) =>
    is_new || incident_id === null || latest.get(fingerprint)?.incident_id === incident_id
      ? []
      : [incident_id],
  );
  const own = await activeIncidents(ctx, [...new Set(elsewhere)]);
  const found = new Map<string, GroupWithIncident>();
  for (const alert of alerts) {
    const before =
      (alert.is_new ? undefined : own.get(alert.incident_id ?? "")) ?? latest.get(alert.fingerprint);
    const key = before?.incident_id ?? alert.fingerprint;
    const one = found.get(key);
    if (one === undefined) found.set(key, { group: [alert], before });
    else one.group.push(alert);
  }
  return [...found.values()];
}

/** Whether an alert at `now` continues a resolved incident. */
function continues(incident: IncidentRow, windows: IncidentWindows, now: Date, isNew: boolean): boolean {
  if (incident.status !== "resolved" || incident.resolved_at === null) return false;
  // An incident resolved by notice is not over while an alert fires; any other gets its cool-down.
  if (!isNew)
    return (
      incident.resolved_through === "notice" || addSeconds(incident.resolved_at, windows.cool_down) <= now
    );
  const repaired =
    incident.resolved_through === "repair" && addSeconds(incident.resolved_at, windows.repair) > now;
  return repaired || addSeconds(incident.last_seen, windows.active) > now;
}

/**
 * Returns the escalation tier per anomaly key if trouble begins now. `flaps` holds how often each ended recently without
 * being resolved, because it flaps.
 */
async function levels(
  ctx: Ctx,
  flaps: ReadonlyMap<string, number>,
  windows: IncidentWindows,
): Promise<Map<string, number>> {
  const over = await timesOver(ctx, [...flaps.keys()], escalationMoments(ctx.clock.now()));
  const level = (key: string, damped: number) =>
    escalationLevel(
      (over.get(key) ?? [0, 0, 0]).map((times) => times + damped + 1),
      windows.escalation,
    );
  return new Map([...flaps].map(([key, damped]) => [key, level(key, damped)]));
}

function noteLevel(ctx: Ctx, { incident_id, escalation_level }: IncidentRow): void {
  if (escalation_level === 1) return;
  const text = `It keeps recurring: tier ${escalation_level} of 4`;
  note(ctx, { incident_id, kind: "status", text, data: { escalation_level } });
}

/** Returns the incident's title. Where the sender has no message of its own, it names the target. */
function titleOf(
  { alert_name, message, labels, target_resource }: StoredAlert,
  target: OperationTarget | null,
): string {
  const about = [target?.name ?? target_resource, labels.mountpoint ?? labels.device ?? ""];
  const words = message === alert_name ? about.filter((one) => one !== "").join(" ") : message;
  return clip(`${alert_name}: ${words}`, 300, "");
}

function draft(ctx: Ctx, { group, tier }: Opening, often: Often, options: ConvergeOptions): NewIncident {
  const now = ctx.clock.now();
  // One alert that is more than information decides the kind.
  const first = group.find((alert) => alert.notification_type !== INFORMATION) ?? group[0];
  const named = [...new Set(group.flatMap((alert) => affectedServices(alert)))];
  const target = operationTarget(first, named, options.known);
  // A supervised process counts as a service, whatever else the labels name.
  const all = target?.kind === "process" ? [...new Set([target.name, ...named])] : named;
  const services = all.slice(0, SERVICES);
  const known = group.flatMap((alert) => alert.severity ?? []);
  return {
    fingerprint: first.fingerprint,
    anomaly_key: first.anomaly_key,
    key_version: KEY_VERSION,
    title: titleOf(first, target),
    status: "investigating",
    severity: known.length > 0 ? known.reduce(worseSeverity) : options.severityWithout(first),
    alert_category: first.alert_category,
    notification_type: first.notification_type,
    affected_services: services,
    operation_target: target,
    hit_count: Math.max(1, outagesOf(group.filter((alert) => (alert.same_as ?? null) === null))),
    escalation_level: tier,
    frequency: { ...often, escalation_level: tier },
    first_seen: now,
    last_seen: now,
    created_at: now,
    updated_at: now,
  };
}

function noteOpened(ctx: Ctx, incident: IncidentRow, [first]: Group): void {
  const { incident_id, severity, fingerprint } = incident;
  note(ctx, {
    incident_id,
    kind: "alert",
    text: `${first.alert_name} fired for ${incident.operation_target?.name ?? first.target_resource}`,
    data: { alert_id: first.alert_id, source: first.source, message: first.message },
  });
  noteLevel(ctx, incident);
  record(ctx, { action: "incident.opened", subject: incident_id, data: { fingerprint, severity } });
}

/** Returns category and notification type: information takes those of the first alert that is more. */
function kindOf(incident: IncidentRow, fresh: readonly StoredAlert[]) {
  const { alert_category, notification_type } =
    incident.notification_type === INFORMATION
      ? (fresh.find((alert) => alert.notification_type !== INFORMATION) ?? incident)
      : incident;
  return { alert_category, notification_type };
}

/** Returns the later date, so that a clock set back moves no timestamp backwards. */
const laterOf = (one: Date, other: Date) => (one > other ? one : other);

/** Returns the incident's fields updated by these alerts: only new ones count as hits, any may raise the severity. */
function counted(ctx: Ctx, incident: IncidentRow, alerts: readonly StoredAlert[]) {
  const fresh = alerts.filter(isNews);
  const services = [...incident.affected_services, ...fresh.flatMap((alert) => affectedServices(alert))];
  return {
    hit_count: incident.hit_count + outagesOf(fresh),
    last_seen: laterOf(incident.last_seen, ctx.clock.now()),
    severity: alerts.flatMap((alert) => alert.severity ?? []).reduce(worseSeverity, incident.severity),
    affected_services: [...new Set(services)].slice(0, SERVICES),
    ...kindOf(incident, fresh),
    updated_at: fresh.length > 0 ? laterOf(incident.updated_at, ctx.clock.now()) : incident.updated_at,
  };
}

async function reopen(
  ctx: Ctx,
  incident: IncidentRow,
  alerts: readonly StoredAlert[],
  repair_failed: boolean,
  escalation_level: number,
): Promise<IncidentRow> {
  const reopened = await updateIncident(ctx, incident.incident_id, {
    ...counted(ctx, incident, alerts),
    status: "investigating",
    resolved_at: null,
    closed_at: null,
    escalation_level: Math.max(escalation_level, incident.escalation_level),
  });
  const why = repair_failed ? "the problem is back: the repair did not hold" : "the problem is back";
  const { incident_id } = incident;
  note(ctx, { incident_id, kind: "status", text: `Reopened: ${why}` });
  noteLevel(ctx, reopened);
  record(ctx, { action: "incident.reopened", subject: incident_id, data: { repair_failed } });
  return reopened;
}

/** Notes a raised severity, and sends a notice unless the incident is an effect. */
export function notifySeverityRaised(ctx: Ctx, incident: IncidentRow, before: Severity): void {
  const { incident_id, severity, merged_into } = incident;
  if (severity === before) return;
  note(ctx, { incident_id, kind: "alert", text: `Severity rose from ${before} to ${severity}` });
  record(ctx, { action: "incident.raised", subject: incident_id, data: { severity } });
  if (merged_into === null) notify(ctx, { topic: "incident.raised", incident_id, payload: { severity } });
}

/** Sends the notice of an incident that was opened or reopened, once it is known not to be an effect. */
export function notifyBegun(ctx: Ctx, { incident, kind, repair_failed }: Convergence): void {
  const { incident_id, severity } = incident;
  if (kind === "opened") notify(ctx, { topic: "incident.opened", incident_id, payload: { severity } });
  if (kind === "reopened")
    notify(ctx, { topic: "incident.reopened", incident_id, payload: { repair_failed } });
}

/** Applies a group of alerts to an existing incident; undefined when they open a new one. */
async function onExisting(
  ctx: Ctx,
  before: IncidentRow,
  alerts: Group,
  windows: IncidentWindows,
  tier: number,
): Promise<Convergence | undefined> {
  const fresh = alerts.filter(isNews);
  const same = {
    repair_failed: false,
    raised: false,
    becomes_trouble: false,
    needs_permanent_fix: false,
    alerts,
  };
  if (isActive(before)) {
    const incident = { ...before, ...counted(ctx, before, alerts) };
    const more = incident.notification_type !== before.notification_type;
    const raised = more || incident.severity !== before.severity;
    // Flapping suppresses single notices, but a higher tier is still noted.
    if (before.flapping && fresh.length > 0 && tier > before.escalation_level) {
      incident.escalation_level = tier;
      noteLevel(ctx, incident);
    }
    return { ...same, incident, kind: "converged", raised, becomes_trouble: more };
  }
  const now = ctx.clock.now();
  if (continues(before, windows, now, fresh.length > 0)) {
    const soon = before.resolved_at !== null && addSeconds(before.resolved_at, windows.repair) > now;
    // An alert that never stopped firing disproves the repair just as one that came back.
    const repair_failed = before.resolved_through === "repair" && (soon || fresh.length === 0);
    const incident = await reopen(ctx, before, alerts, repair_failed, tier);
    return { ...same, incident, kind: "reopened", repair_failed };
  }
  // Known alerts that still fire on a resolved incident: it gets its cool-down.
  if (fresh.length === 0 && before.status !== "closed") {
    return { ...same, incident: { ...before, last_seen: now }, kind: "converged" };
  }
  return undefined;
}

async function openAll(
  ctx: Ctx,
  openings: readonly Opening[],
  options: ConvergeOptions,
): Promise<Convergence[]> {
  if (openings.length === 0) return [];
  // New alerts are stored only once they have an incident, so the query does not count them.
  const fresh = Map.groupBy(
    openings.flatMap(({ group }) => group.filter((alert) => isNews(alert) && alert.is_stored === false)),
    (alert) => alert.anomaly_key,
  );
  const keyOf = ({ group: [first] }: Opening) => first.anomaly_key;
  const often = await frequencies(ctx, openings.map(keyOf));
  const drafts = openings.map((one) => {
    const key = keyOf(one);
    return draft(ctx, one, withMore(often(key), fresh.get(key)?.length ?? 0), options);
  });
  const opened = await insertIncidents(ctx, drafts);
  return openings.flatMap(({ group, needs_permanent_fix }) => {
    const incident = opened.get(group[0].fingerprint);
    if (incident === undefined) return [];
    noteOpened(ctx, incident, group);
    const kind = "opened" as const;
    const none = { repair_failed: false, raised: false, becomes_trouble: false };
    return { incident, kind, ...none, needs_permanent_fix, alerts: group };
  });
}

/**
 * Converges firing alerts into incidents: counts them on an active one, reopens one that they continue, or opens one.
 * Notices about opened and reopened incidents are left to `notifyBegun`. `firing` has one entry per instance, with their
 * fingerprints locked; known ones only move `last_seen` and may raise the severity. The order of alerts does not matter.
 */
export async function converge(
  ctx: Ctx,
  firing: readonly StoredAlert[],
  options: ConvergeOptions,
): Promise<Convergence[]> {
  authorise(ctx.actor, "converge alerts", { people: "none", system: ["intake"] });
  if (firing.length === 0) return [];
  const groups = await byIncident(ctx, firing);
  const over = new Map<string, number>();
  for (const { group, before } of groups) {
    if (before === undefined || (isActive(before) && !before.flapping)) continue;
    const key = group[0].anomaly_key;
    over.set(key, Math.max(over.get(key) ?? 0, before.flaps));
  }
  const tiers = await levels(ctx, over, options.windows);
  const outcome: Convergence[] = [];
  const opening: Opening[] = [];
  for (const { group, before } of groups) {
    const tier = tiers.get(group[0].anomaly_key) ?? 1;
    const existing = before && (await onExisting(ctx, before, group, options.windows, tier));
    // Raised once per run of trouble, and not about AWOOOI's own alerts.
    const needs_permanent_fix =
      tier === 4 && before?.escalation_level !== 4 && before?.alert_category !== "flywheel_health";
    if (existing === undefined) opening.push({ group, tier, needs_permanent_fix });
    else
      outcome.push({
        ...existing,
        needs_permanent_fix:
          needs_permanent_fix && (existing.kind === "reopened" || before?.flapping === true),
      });
    if (before !== undefined && existing !== undefined && isActive(before))
      notifySeverityRaised(ctx, existing.incident, before.severity);
  }
  await countIncidents(
    ctx,
    outcome.map((one) => one.incident),
  );
  return [...outcome, ...(await openAll(ctx, opening, options))];
}
