import { and, inArray, sql } from "drizzle-orm";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { oneOf } from "../../db/one-of.ts";
import { incidents } from "../../db/schema.ts";
import { KEY_VERSION } from "../../intake/index.ts";
import { ACTIVE } from "../store.ts";

/** An incident with keys of an earlier version, and the keys of the alert that opened it, if that still exists. */
export type OldIncidentKeys = {
  incident_id: string;
  fingerprint: string;
  is_active: boolean;
  alert_fingerprint: string | null;
  alert_anomaly_key: string | null;
};

/** Returns a page of incidents with keys of an earlier version, by id after `after`. */
export async function incidentsOfOldKeys(ctx: Ctx, after: string, limit: number): Promise<OldIncidentKeys[]> {
  const { rows } = await ctx.db.execute<OldIncidentKeys>(sql`
    select i.incident_id, i.fingerprint, i.status in ('investigating', 'mitigating') as is_active,
           a.fingerprint as alert_fingerprint, a.anomaly_key as alert_anomaly_key
      from (select * from incidents where incident_id > ${after} and key_version < ${KEY_VERSION}::int
             order by incident_id limit ${limit}) i
      left join lateral (select fingerprint, anomaly_key from alerts where alerts.incident_id = i.incident_id
                          order by first_received_at, alert_id limit 1) a on true
     order by i.incident_id`);
  return rows;
}

/** Returns which of these fingerprints, given in the current version, an active incident has. */
export async function activeFingerprints(ctx: Ctx, fingerprints: readonly string[]): Promise<Set<string>> {
  if (fingerprints.length === 0) return new Set();
  const rows = await ctx.db
    .select({ fingerprint: incidents.fingerprint })
    .from(incidents)
    .where(and(oneOf(incidents.fingerprint, fingerprints), inArray(incidents.status, [...ACTIVE])));
  return new Set(rows.map((row) => row.fingerprint));
}

/** Writes the keys of these incidents and marks them as of the current version. */
export async function writeIncidentKeys(
  ctx: Ctx,
  rows: readonly { incident_id: string; fingerprint: string; anomaly_key: string }[],
): Promise<void> {
  await ctx.db.execute(sql`
    update incidents i
       set fingerprint = k.fingerprint, anomaly_key = k.anomaly_key, key_version = ${KEY_VERSION}::int
      from json_to_recordset(${jsonRows(rows)}::json) as k(incident_id text, fingerprint text, anomaly_key text)
     where i.incident_id = k.incident_id`);
}
