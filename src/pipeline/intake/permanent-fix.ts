import type { Ctx } from "../../db/ctx.ts";
import { type IncidentRow, note } from "../../incident/index.ts";
import { journalOwn } from "../../intake/index.ts";

/**
 * Raises `PermanentFixRequired` about an incident that keeps coming back, in the transaction that detects it. It is an
 * alert of our own, journalled like any other, so that it gets an incident, notices and an end.
 */
export async function journalPermanentFix(ctx: Ctx, incident: IncidentRow): Promise<void> {
  const { incident_id, operation_target, affected_services, fingerprint, title } = incident;
  // The same component for the same trouble, so that the alert is deduplicated while it is open.
  const component = operation_target?.name ?? affected_services[0] ?? fingerprint;
  await journalOwn(ctx, {
    labels: { alertname: "PermanentFixRequired", severity: "high", component, incident_id },
    annotations: { summary: `${title} keeps recurring: another repair only treats the symptom` },
  });
  note(ctx, {
    incident_id,
    kind: "status",
    text: "A permanent fix is required: it keeps recurring after repairs",
  });
}
