import { and, desc, eq, lt, sql } from "drizzle-orm";
import type { OperationLogQuery } from "../../contract/operation-log.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { olderThanSeq } from "../../db/page.ts";
import { alert_log } from "../../db/schema.ts";

export type AlertLogRow = typeof alert_log.$inferSelect;

export async function insertAlertLog(ctx: Ctx, rows: readonly Omit<AlertLogRow, "seq">[]): Promise<void> {
  if (rows.length === 0) return;
  await ctx.db.execute(sql`
    insert into alert_log (at, receipt, alert_id, incident_id, outcome, detail, alert_name, labels, alerts)
    select at, receipt, alert_id, incident_id, outcome, detail, alert_name, labels, alerts
      from json_to_recordset(${jsonRows(rows)}::json)
        as t(at timestamptz, receipt bigint, alert_id text, incident_id text, outcome text, detail text,
             alert_name text, labels jsonb, alerts int)`);
}

/** Reads entries, newest first, up to `limit` + 1: the extra one shows that there is a next page. */
export async function alertLogPage(
  ctx: Ctx,
  { incident_id, limit, cursor }: Pick<OperationLogQuery, "incident_id" | "limit" | "cursor">,
): Promise<AlertLogRow[]> {
  return ctx.db
    .select()
    .from(alert_log)
    .where(
      and(
        incident_id === undefined ? undefined : eq(alert_log.incident_id, incident_id),
        olderThanSeq(cursor, alert_log.at, alert_log.seq),
      ),
    )
    .orderBy(desc(alert_log.at), desc(alert_log.seq))
    .limit(limit + 1);
}

/** Selects old entries; they are kept as long as the alerts that they are about. */
export function oldAlertLog(before: Date) {
  return { table: alert_log, key: alert_log.seq, order: alert_log.at, where: lt(alert_log.at, before) };
}

/** Selects old entries about repeated alerts; they are kept as long as the calls that brought the repetition. */
export function oldKnownAlerts(before: Date) {
  const where = and(eq(alert_log.outcome, "known"), lt(alert_log.at, before));
  return { table: alert_log, key: alert_log.seq, order: alert_log.at, where };
}
