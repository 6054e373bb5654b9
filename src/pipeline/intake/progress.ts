import type { Ctx } from "../../db/ctx.ts";
import type { NormalisedAlert } from "../../intake/index.ts";
import { notify } from "../../outbox/index.ts";

/** Sends a notice about a pipeline's progress: `success` for an alert of severity info, otherwise `running`. */
export function notifyProgress(ctx: Ctx, { alert_name, labels, annotations }: NormalisedAlert): void {
  notify(ctx, {
    topic: "pipeline.progress",
    incident_id: null,
    payload: {
      name: alert_name,
      status: labels.severity?.trim().toLowerCase() === "info" ? "success" : "running",
      stage: labels.stage ?? "",
      commit: labels.commit ?? "",
      triggered_by: labels.triggered_by || "CI",
      summary: annotations.summary ?? "",
      workflow_url: annotations.workflow_url ?? "",
      // Notification routing matches these labels.
      labels,
    },
  });
}
