import type { Ctx } from "../db/ctx.ts";
import { incidentsById } from "../incident/index.ts";
import { labelsOfIncidents } from "../intake/index.ts";
import type { Labels } from "../lib/matchers.ts";
import type { NoticeSubject } from "../outbox/index.ts";
import type { Router } from "./route.ts";

/**
 * Returns a function giving those of `channels` that a notice goes to: the channels that any alert of its incident or of
 * an effect is routed to; without an incident, the notice's own labels are routed. The labels `incident_severity`,
 * `alert_category` and `notification_type` are the incident's and override an alert's own.
 */
export async function assign(
  ctx: Ctx,
  notices: readonly NoticeSubject[],
  channels: readonly string[],
  route: Router,
): Promise<(notice: NoticeSubject) => readonly string[]> {
  const ids = [...new Set(notices.flatMap((notice) => notice.incident_id ?? []))];
  const incidents = await incidentsById(ctx, ids);
  const alerts = await labelsOfIncidents(ctx, ids);
  const toldOf = (labels: readonly Labels[]) => {
    const told = labels.map(route);
    if (told.includes(null)) return channels;
    const names = new Set(told.flatMap((list) => list ?? []));
    return channels.filter((id) => names.has(id));
  };
  return ({ incident_id, payload }) => {
    if (incident_id === null) return toldOf([payload.labels as Labels]);
    const incident = incidents.get(incident_id);
    if (incident === undefined) return channels;
    const { severity, alert_category, notification_type } = incident;
    const ours = { incident_severity: severity, alert_category, notification_type };
    return toldOf((alerts.get(incident_id) ?? [{}]).map((labels) => ({ ...labels, ...ours })));
  };
}
