import { authorise } from "../access/index.ts";
import type { Page, PageQuery } from "../contract/common.ts";
import type { Alert } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import { alertRows } from "./store.ts";

/** Returns an alert in the form in which it crosses the wire. */
export function presentAlert(row: Awaited<ReturnType<typeof alertRows>>[number]): Alert {
  return {
    ...row,
    // Held alerts are in no incident and in no list.
    status: row.status === "resolved" ? "resolved" : "firing",
    starts_at: row.starts_at.toISOString(),
    ends_at: row.ends_at?.toISOString() ?? null,
    first_received_at: row.first_received_at.toISOString(),
    last_received_at: row.last_received_at.toISOString(),
  };
}

/** Lists the alerts that were counted on an incident, newest first. */
export async function alertsOf(ctx: Ctx, incident_id: string, query: PageQuery): Promise<Page<Alert>> {
  authorise(ctx.actor, "read alerts", { people: "viewer" });
  const found = await alertRows(ctx, incident_id, query);
  const { rows, next_cursor } = pageOf(found, query.limit, (row) => ({
    at: row.first_received_at,
    id: row.alert_id,
  }));
  return { items: rows.map(presentAlert), next_cursor };
}
