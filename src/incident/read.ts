import { authorise } from "../access/index.ts";
import type { IncidentQuery } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import { AwoooiError } from "../lib/error.ts";
import { findIncident, incidentPage } from "./store.ts";
import type { IncidentRow } from "./types.ts";

/** Returns one incident. Throws `not_found`. */
export async function getIncident(ctx: Ctx, incident_id: string): Promise<IncidentRow> {
  authorise(ctx.actor, "read incidents", { people: "viewer", system: ["pipeline", "sweep"] });
  const incident = await findIncident(ctx, incident_id);
  if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
  return incident;
}

/** Returns a page of the incidents that match all filters, newest first. */
export async function listIncidents(
  ctx: Ctx,
  query: IncidentQuery,
): Promise<{ rows: IncidentRow[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read incidents", { people: "viewer" });
  const rows = await incidentPage(ctx, query);
  return pageOf(rows, query.limit, (row) => ({ at: row.created_at, id: row.incident_id }));
}
