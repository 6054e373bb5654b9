import type { Ctx } from "../db/ctx.ts";
import { incidentsById } from "../incident/index.ts";
import { labelsOfIncidents } from "../intake/index.ts";
import type { Router } from "./route.ts";

/**
 * Which of `channels` are told of each of these incidents: those that any of its alerts is routed to. Beside
 * an alert's own labels, and before them, count `incident_severity`, `alert_category` and `notification_type`.
 */
export async function assign(
  ctx: Ctx,
  incident_ids: readonly string[],
  channels: readonly string[],
  route: Router,
): Promise<(incident_id: string) => readonly string[]> {
  const ids = [...new Set(incident_ids)];
  const incidents = await incidentsById(ctx, ids);
  const alerts = await labelsOfIncidents(ctx, ids);
  return (incident_id) => {
    const incident = incidents.get(incident_id);
    if (incident === undefined) return channels;
    const { severity, alert_category, notification_type } = incident;
    const ours = { incident_severity: severity, alert_category, notification_type };
    const told = (alerts.get(incident_id) ?? [{}]).map((labels) => route({ ...labels, ...ours }));
    if (told.includes(null)) return channels;
    const names = new Set(told.flatMap((list) => list ?? []));
    return channels.filter((id) => names.has(id));
  };
}
