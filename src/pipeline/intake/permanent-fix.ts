import type { Ctx } from "../../db/ctx.ts";
import { type IncidentRow, note } from "../../incident/index.ts";
import { journalOwn } from "../../intake/index.ts";

/**
 * Raises `PermanentFixRequired` about trouble that keeps coming back: an alert of our own, in the journal as
 * any other's, so that it has its incident, its people and its end. In the transaction that found it out.
 */
export async function journalPermanentFix(ctx: Ctx, incident: IncidentRow): Promise<void> {
  const { incident_id, operation_target, affected_services, fingerprint, title } = incident;
  // The same for the same trouble: this too is said once while it is open.
  const component = operation_target?.name ?? affected_services[0] ?? fingerprint;
  await journalOwn(ctx, {
    labels: { alertname: "PermanentFixRequired", severity: "high", component, incident_id },
    annotations: { summary: `${title} keeps coming back: repairing it again is treating the symptom` },
  });
  note(ctx, {
    incident_id,
    kind: "status",
    text: "A permanent fix is required: the same repair again is no answer",
  });
}
