import { and, eq, sql } from "drizzle-orm";
import type { Severity } from "../../contract/common.ts";
import type { SilencedBy } from "../../contract/silence.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { oneOf } from "../../db/one-of.ts";
import { alerts } from "../../db/schema.ts";
import type { IntakeWindow } from "../firing/store.ts";
import { KEY_VERSION } from "../normalise/keys.ts";
import { MOST_RESTRICTIONS } from "../normalise/repair-restrictions.ts";
import type { AlertNotice, NormalisedAlert, StoredAlert } from "../types.ts";
import type { Outage, ReportedEnd } from "./decide.ts";

/** PostgreSQL's `serialization_failure`: the transaction is to be retried, since a concurrent one came first. */
const SERIALISATION_FAILURE = "40001";
const overtaken = (what: string) => Object.assign(new Error(what), { code: SERIALISATION_FAILURE });

/** An outage as it is stored, with the further columns that the pipeline needs. */
export type StoredOutage = Outage & {
  identity: string;
  instance_key: string | null;
  incident_id: string | null;
  silenced_by: SilencedBy[] | null;
  narrows: string[];
};

const OUTAGE = sql.raw(
  "alert_id, instance_key, outage, status, incident_id, silenced_by, starts_at, began_with, ended_with, said_with, senders, ended_by, narrows",
);

/**
 * Reads of each alert its outages that are not over and the latest that is; of an alert that counts calls the newest open one,
 * those that a notice may end, and those that the notices repeat. The alert's highest outage number is among them.
 */
export async function knownOutages(
  ctx: Ctx,
  notices: readonly (NormalisedAlert & { place: string })[],
): Promise<StoredOutage[]> {
  // One lookup for each alert, however many of its calls the batch holds.
  const asked = [...Map.groupBy(notices, (one) => one.identity)].map(([identity, all]) => ({
    identity,
    calls: all.flatMap(({ of_call, status, instance_key }) =>
      of_call && status === "firing" ? [instance_key] : [],
    ),
    // Place of the latest resolved notice: calls that began after it are not ended.
    ended: all.reduce<string | null>(
      (latest, { status, place }) => (status === "resolved" && place > (latest ?? "") ? place : latest),
      null,
    ),
  }));
  const { rows } = await ctx.db.execute<
    Omit<StoredOutage, "starts_at" | "of_call"> & { starts_at: string }
  >(sql`
    select n.identity, a.*
      from json_to_recordset(${jsonRows(asked)}::json) as n(identity text, calls json, ended text)
     cross join lateral (
       select ${OUTAGE} from alerts where identity = n.identity and status <> 'resolved' and instance_key is null
       union all select ${OUTAGE} from alerts where identity = n.identity and status = 'firing' and instance_key is not null
              and n.ended is not null and coalesce(began_with, '') collate "C" <= n.ended
       union all (select ${OUTAGE} from alerts where identity = n.identity and status = 'firing' and instance_key is not null
                   order by outage desc limit 1)
       union all (select ${OUTAGE} from alerts where identity = n.identity and status = 'resolved' order by outage desc limit 1)
       union all select ${OUTAGE} from alerts where instance_key = any(array(select json_array_elements_text(n.calls)))) a`);
  const byId = new Map(rows.map((row) => [row.alert_id, row]));
  return [...byId.values()]
    .map((row) => ({
      ...row,
      outage: row.outage ?? 0,
      of_call: row.instance_key !== null,
      began_with: row.began_with ?? "",
      starts_at: new Date(row.starts_at),
    }))
    .sort((one, other) => one.outage - other.outage);
}

type Former = Pick<StoredOutage, "alert_id" | "instance_key"> & {
  fingerprint: string;
  source_fingerprint: string;
  starts_at: Date;
};

/** Reads firing alerts from before outages were counted (no identity), with these source fingerprints, oldest first. */
export async function formerAlerts(ctx: Ctx, source_fingerprints: readonly string[]): Promise<Former[]> {
  const { rows } = await ctx.db.execute<Omit<Former, "starts_at"> & { starts_at: string }>(sql`
    select alert_id, instance_key, fingerprint, source_fingerprint, starts_at from alerts
     where identity is null and status = 'firing'
       and source_fingerprint = any(${sql.param([...source_fingerprints])}::text[])
     order by first_received_at, alert_id`);
  return rows.map((row) => ({ ...row, starts_at: new Date(row.starts_at) }));
}

/** Turns these stored alerts into outages of their identities, numbered in this order after those that are known. */
export async function adoptAlerts(
  ctx: Ctx,
  rows: readonly { alert_id: string; identity: string; of_call: boolean }[],
): Promise<void> {
  await ctx.db.execute(sql`
    update alerts a
       set identity = n.identity, outage = n.number, instance_key = case when n.of_call then a.instance_key end,
           began_with = coalesce(a.began_with, to_char(a.first_received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      from (
        select r.*, row_number() over (partition by identity order by place)
               + (select coalesce(max(outage), 0) from alerts k where k.identity = r.identity) as number
          from json_to_recordset(${jsonRows(rows.map((row, place) => ({ ...row, place })))}::json)
            as r(alert_id text, identity text, of_call boolean, place int)) n
     where a.alert_id = n.alert_id`);
}

/**
 * Returns the places of those firing notices that had been counted already, or whose alert was over, before outages were counted.
 */
export async function formerlyOver(
  ctx: Ctx,
  notices: readonly (Pick<AlertNotice, "place" | "fingerprint" | "source_fingerprint" | "received_at"> & {
    keys: string[];
  })[],
): Promise<Set<string>> {
  const { rows } = await ctx.db.execute<{ place: string }>(sql`
    select n.place
      from json_to_recordset(${jsonRows(notices)}::json)
        as n(place text, fingerprint text, source_fingerprint text, received_at timestamptz, keys json)
     where exists (select from alerts a
       where a.instance_key = any(array(select json_array_elements_text(n.keys))) and a.identity is null)
        or exists (select from alerts a
       where a.fingerprint = n.fingerprint and a.source_fingerprint = n.source_fingerprint and a.identity is null
         and a.status = 'resolved' and coalesce(a.ends_at, a.last_received_at) >= n.received_at)`);
  return new Set(rows.map((row) => row.place));
}

/** The changes that notices make to a stored outage; `was` is its status until now. */
export type OutageChange = {
  alert_id: string;
  was: Outage["status"];
  status: Outage["status"];
  times: number;
  holds_until: Date | null;
  senders: readonly string[];
  ended_by: Readonly<Record<string, ReportedEnd>>;
  ended_with: string | null;
  said_with: string | null;
  ends_at: Date | null;
  /** The severity that the sender gives now; stored only where it is worse than before. */
  severity: Severity | null;
  /** New texts that may forbid automatic repair (see `restrictionsOf`); they are added, and none is ever removed. */
  narrows: readonly string[];
  /** It was held until now: `first_received_at` becomes the present. */
  begins: boolean;
};

/** Stores changes of outages. Throws a serialisation failure when another transaction has changed the status of one meanwhile. */
export async function changeOutages(ctx: Ctx, changes: readonly OutageChange[]): Promise<void> {
  if (changes.length === 0) return;
  const now = ctx.clock.now().toISOString();
  const { rowCount } = await ctx.db.execute(sql`
    update alerts a
       set last_received_at = greatest(a.last_received_at, case when c.times > 0 or c.status <> c.was then ${now}::timestamptz end),
           deliveries = a.deliveries + c.times, status = c.status,
           severity = least(a.severity, c.severity), holds_until = greatest(a.holds_until, c.holds_until), ends_at = coalesce(c.ends_at, a.ends_at),
           narrows = case when json_array_length(c.narrows) = 0 then a.narrows else array(
             select unnest(a.narrows) union select json_array_elements_text(c.narrows) limit ${MOST_RESTRICTIONS}) end,
           senders = array(select json_array_elements_text(c.senders)), ended_by = c.ended_by,
           ended_with = c.ended_with, said_with = c.said_with,
           held_until = case when c.status = 'held' then a.held_until end,
           first_received_at = case when c.begins then ${now}::timestamptz else a.first_received_at end
      from json_to_recordset(${jsonRows(changes)}::json)
        as c(alert_id text, was text, status text, times int, holds_until timestamptz, senders json,
             ended_by jsonb, ended_with text, said_with text, ends_at timestamptz, severity text, narrows json, begins boolean)
     where a.alert_id = c.alert_id and a.status = c.was`);
  if (rowCount !== changes.length) throw overtaken("an outage was changed meanwhile");
}

/** Deletes held outages that their senders have taken back. Throws a serialisation failure when one is no longer held. */
export async function deleteHeld(ctx: Ctx, alert_ids: readonly string[]): Promise<void> {
  if (alert_ids.length === 0) return;
  const { rowCount } = await ctx.db
    .delete(alerts)
    .where(and(oneOf(alerts.alert_id, alert_ids), eq(alerts.status, "held")));
  if (rowCount !== alert_ids.length) throw overtaken("what was held has begun meanwhile");
}

/** An outage that is not stored yet. */
export type OutageRow = StoredAlert &
  AlertNotice & {
    outage: number;
    held_until: Date | null;
    ended_with: string | null;
    ended_by: Readonly<Record<string, ReportedEnd>>;
  };

/**
 * Inserts new outages. Throws a serialisation failure when a concurrent transaction has stored one of them; the transaction is
 * then run again.
 */
export async function insertOutages(ctx: Ctx, fresh: readonly OutageRow[]): Promise<void> {
  if (fresh.length === 0) return;
  const now = ctx.clock.now().toISOString();
  const rows = fresh.map(({ instance_key, of_call, held_until, status, ...row }) => ({
    ...row,
    instance_key: of_call ? instance_key : null,
    held_until,
    status: held_until === null ? status : "held",
    senders: status === "firing" ? [row.sender] : [],
    said_with: status === "firing" ? (row.said_last ?? row.place) : null,
  }));
  const { rowCount } = await ctx.db.execute(sql`
    insert into alerts (alert_id, identity, outage, instance_key, source, source_fingerprint, fingerprint, anomaly_key, key_version, incident_id, status,
           alert_name, alert_type, severity, alert_category, notification_type, cluster, namespace,
           target_resource, message, labels, annotations, starts_at, ends_at, holds_until, held_until, began_with,
           ended_with, said_with, senders, ended_by, generator_url, deliveries, silenced_by, same_as, narrows, first_received_at, last_received_at)
    select alert_id, identity, outage, instance_key, source, source_fingerprint, fingerprint, anomaly_key, ${KEY_VERSION}::int, incident_id, status,
           alert_name, alert_type, severity, alert_category, notification_type, cluster, namespace,
           target_resource, message, labels, annotations, starts_at, ends_at, holds_until, held_until, place,
           ended_with, said_with, array(select json_array_elements_text(senders)), ended_by, generator_url, times, silenced_by, same_as,
           array(select json_array_elements_text(narrows)), ${now}::timestamptz, ${now}::timestamptz
      from json_to_recordset(${jsonRows(rows)}::json)
        as a(alert_id text, identity text, outage int, instance_key text, source text, source_fingerprint text,
             fingerprint text, anomaly_key text, incident_id text, status text, alert_name text, alert_type text, severity text,
             alert_category text, notification_type text, cluster text, namespace text,
             target_resource text, message text, labels jsonb, annotations jsonb, starts_at timestamptz,
             ends_at timestamptz, holds_until timestamptz, held_until timestamptz, place text, ended_with text, said_with text,
             senders json, ended_by jsonb, generator_url text, times int, silenced_by jsonb, same_as text, narrows json)
    on conflict do nothing`);
  if (rowCount !== fresh.length) throw overtaken("an outage was stored meanwhile");
}

/** An outage that was not stored before. */
export type NewOutage = Pick<
  StoredAlert,
  "alert_id" | "source" | "fingerprint" | "labels" | "starts_at" | "of_call"
>;

/**
 * Maps new outages to the outage of another source with identical labels that fires already. Left out is one that this source has
 * repeated before, since it must have ended in between; and one whose incident is over, since people hear no more of it, unless
 * that was resolved by a verified repair after the new outage began: then this route is only late.
 */
export async function firingByOtherRoute(ctx: Ctx, news: readonly NewOutage[]): Promise<Map<string, string>> {
  const asked = news.map(({ alert_id, source, fingerprint, labels, starts_at }) => ({
    alert_id,
    source,
    fingerprint,
    labels,
    starts_at,
  }));
  const { rows } = await ctx.db.execute<{ alert_id: string; same_as: string }>(sql`
    select distinct on (n.alert_id) n.alert_id, o.alert_id as same_as
      from json_to_recordset(${jsonRows(asked)}::json)
        as n(alert_id text, source text, fingerprint text, labels jsonb, starts_at timestamptz)
      join alerts o on o.labels = n.labels and o.status = 'firing' and o.instance_key is null
       and o.fingerprint = n.fingerprint and o.source <> n.source and o.same_as is null
      left join incidents i on i.incident_id = o.incident_id
     where (i.incident_id is null or i.status in ('investigating', 'mitigating')
            or (i.resolved_through = 'repair' and n.starts_at <= i.resolved_at))
       and not exists (select from alerts k where k.same_as = o.alert_id and k.source = n.source)
     order by n.alert_id, o.first_received_at, o.alert_id`);
  return new Map(rows.map((row) => [row.alert_id, row.same_as]));
}

// Allowance for AWOOOI's own processing delays.
const GRACE = "5 seconds";

/** True for a held outage whose holding time is over, counting only the time in which AWOOOI was listening. */
function isDue({ since, until }: IntakeWindow) {
  const holding = sql`${alerts.held_until} - ${alerts.first_received_at}`;
  return sql`${alerts.status} = 'held'
    and greatest(${alerts.held_until}, ${since.toISOString()}::timestamptz + (${holding}))
        <= ${until.toISOString()}::timestamptz - ${GRACE}::interval`;
}

export async function dueHeld(
  ctx: Ctx,
  { limit, ...listened }: IntakeWindow & { limit: number },
): Promise<{ alert_id: string; fingerprint: string }[]> {
  const { alert_id, fingerprint } = alerts;
  return ctx.db.select({ alert_id, fingerprint }).from(alerts).where(isDue(listened)).limit(limit);
}

/**
 * Begins those of these held outages that are still due, and deletes those whose sender repeats firing alerts but has stopped
 * (`holds_until` has passed). Returns those that begin.
 */
export async function beginHeld(
  ctx: Ctx,
  ids: readonly string[],
  listened: IntakeWindow,
): Promise<(typeof alerts.$inferSelect)[]> {
  const silent = sql`${alerts.holds_until} <= ${listened.until.toISOString()}::timestamptz - ${GRACE}::interval`;
  await ctx.db.delete(alerts).where(and(oneOf(alerts.alert_id, ids), isDue(listened), silent));
  return ctx.db
    .update(alerts)
    .set({ status: "firing", held_until: null, first_received_at: ctx.clock.now() })
    .where(and(oneOf(alerts.alert_id, ids), isDue(listened)))
    .returning();
}
