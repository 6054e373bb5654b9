import type { Ctx } from "../../db/ctx.ts";
import { recordRepairLabels } from "../../decision/index.ts";
import { type IncidentRow, incidentsById } from "../../incident/index.ts";
import {
  type AcceptedAlert,
  type AlertNotice,
  logAccepted,
  type OutageNotice,
  parseRestrictions,
  type StoredAlert,
} from "../../intake/index.ts";

type Placed = Pick<
  StoredAlert,
  | "alert_id"
  | "incident_id"
  | "alert_name"
  | "labels"
  | "narrows"
  | "heartbeat"
  | "progress"
  | "silenced_by"
  | "held"
>;

type Incidents = ReadonlyMap<string, IncidentRow>;

const incidentsOf = (ctx: Ctx, alerts: readonly Placed[]): Promise<Incidents> =>
  incidentsById(ctx, [...new Set(alerts.flatMap((alert) => alert.incident_id ?? []))]);

/** Returns the incidents created at or after `since`: the first alert of each has opened it. */
const openedSince = (incidents: Incidents, since: Date): Set<string> =>
  new Set([...incidents].flatMap(([id, { created_at }]) => (created_at >= since ? [id] : [])));

/** Records on the incidents' decisions the labels of these alerts that forbid automatic repair. */
async function recordLabels(ctx: Ctx, alerts: readonly Placed[], incidents: Incidents): Promise<void> {
  const labels = new Map<string, string[]>();
  for (const { incident_id, narrows } of alerts) {
    const [said] = parseRestrictions(narrows).auto_repair;
    if (incident_id === null || said === undefined) continue;
    const main = incidents.get(incident_id)?.merged_into ?? incident_id;
    labels.set(main, [...(labels.get(main) ?? []), said]);
  }
  if (labels.size > 0) await recordRepairLabels(ctx, labels);
}

/** Returns the notices that open or join an incident, or are stored for the first time. */
function freshOf(stored: readonly OutageNotice[], opened: ReadonlySet<string>): OutageNotice[] {
  const fresh = stored.filter((alert) => alert.is_new || alert.is_stored === false);
  const covered = new Set(fresh.map((alert) => alert.incident_id));
  // A known alert that was silenced until now opens its incident when it is sent again.
  const risen = stored.filter(({ incident_id: id }) => {
    if (id === null || covered.has(id) || !opened.has(id)) return false;
    covered.add(id);
    return true;
  });
  return [...fresh, ...risen];
}

function outcomeOf(alert: Placed, opened: Set<string>): Pick<AcceptedAlert, "outcome" | "detail"> {
  const { incident_id, heartbeat, progress, silenced_by, held } = alert;
  const plain = (outcome: AcceptedAlert["outcome"]) => ({ outcome, detail: null });
  if (incident_id !== null) return plain(opened.delete(incident_id) ? "opened" : "converged");
  if (silenced_by) return { outcome: "silenced", detail: silenced_by.map((one) => one.id).join(", ") };
  if (held) return plain("held");
  if (heartbeat) return plain("heartbeat");
  return plain(progress ? "progress" : "recorded");
}

const entryOf = ({ alert_id, incident_id, alert_name, labels }: Placed) => ({
  alert_id,
  incident_id,
  alert_name,
  labels,
  alerts: 1,
});

type Call = { seq: number; alerts: readonly AlertNotice[] };

/** Summarises the known alerts of a call in one entry: a call may repeat all that fires, every minute. */
function knownOf({ seq, alerts }: Call, byKey: ReadonlyMap<string, OutageNotice>): AcceptedAlert[] {
  const found = alerts.flatMap((alert) => byKey.get(alert.instance_key) ?? []);
  const [first] = found;
  if (first === undefined) return [];
  const ended = alerts.filter((alert) => alert.status === "resolved").length;
  const fires = alerts.length - ended;
  const said = [fires > 0 ? `${fires} already known` : "", ended > 0 ? `${ended} resolved` : ""];
  const one = new Set(found.map((alert) => alert.incident_id)).size === 1;
  return [
    {
      ...entryOf(first),
      incident_id: one ? first.incident_id : null,
      receipt: seq,
      alerts: alerts.length,
      outcome: "known",
      detail: said.filter(Boolean).join(", "),
    },
  ];
}

/**
 * Writes these calls into the operation log: one entry for each new outage, and one for each call that repeats known ones.
 * `stored` holds the stored notices of their alerts.
 */
export async function logCalls(
  ctx: Ctx,
  calls: readonly Call[],
  stored: readonly OutageNotice[],
  since: Date,
): Promise<void> {
  const incidents = await incidentsOf(ctx, stored);
  const opened = openedSince(incidents, since);
  const fresh = freshOf(stored, opened);
  const byPlace = new Map(fresh.map((alert) => [alert.place, alert]));
  const byKey = new Map(stored.map((alert) => [alert.instance_key, alert]));
  const entries = calls.flatMap((call) => {
    const { seq, alerts } = call;
    const own = alerts.flatMap((alert): AcceptedAlert[] => {
      const of = byPlace.get(alert.place);
      if (of === undefined) return [];
      const over = alert.status === "resolved" && of.incident_id === null;
      const came = over ? { outcome: "over" as const, detail: null } : outcomeOf(of, opened);
      return [{ ...entryOf(of), receipt: seq, ...came }];
    });
    const again = alerts.filter((alert) => !byPlace.has(alert.place));
    return [...own, ...knownOf({ seq, alerts: again }, byKey)];
  });
  await logAccepted(ctx, entries);
  const again = stored.filter((alert) => alert.status === "firing" && !byPlace.has(alert.place));
  await recordLabels(ctx, [...fresh, ...again], incidents);
}

/** Returns these alerts with the incidents that they converged into. */
export const withIncidents = <T extends Placed>(
  alerts: readonly T[],
  incidentOf: ReadonlyMap<string, string>,
): T[] =>
  alerts.map((alert) => ({ ...alert, incident_id: incidentOf.get(alert.alert_id) ?? alert.incident_id }));

/** Logs alerts that come up without a call, because their silence or the time for which they were held has ended. */
export async function logRisen(ctx: Ctx, alerts: readonly Placed[], since: Date): Promise<void> {
  if (alerts.length === 0) return;
  const incidents = await incidentsOf(ctx, alerts);
  const opened = openedSince(incidents, since);
  await logAccepted(
    ctx,
    alerts.map((alert) => ({ ...entryOf(alert), receipt: null, ...outcomeOf(alert, opened) })),
  );
  await recordLabels(ctx, alerts, incidents);
}
