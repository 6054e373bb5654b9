import { z } from "zod";
import { alertmanagerCall, type WebhookAnswer } from "../../../contract/webhook.ts";

const texts = z.record(z.string(), z.string());

/** Alertmanager's format, or one flat alert. */
export const signozCall = z.union([
  alertmanagerCall,
  z.looseObject({
    alertname: z.string(),
    status: z.enum(["firing", "resolved"]).optional(),
    labels: texts.optional(),
    annotations: texts.optional(),
    startsAt: z.string().optional(),
  }),
]);

export const signozAnswer = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("accepted"),
    incident_id: z.string().nullable().describe("null where it is not known yet"),
    is_new: z.boolean().describe("The call opened the incident"),
  }),
  z.object({ status: z.literal("ignored"), reason: z.literal("not firing") }),
]);
export type SignozAnswer = z.infer<typeof signozAnswer>;

/** Returns the answer. `fires`: an alert of the call fires. Resolved alerts are processed whatever the answer says. */
export function answerSignoz(fires: boolean, known: WebhookAnswer | null): SignozAnswer {
  if (!fires) return { status: "ignored", reason: "not firing" };
  const incident_id = known?.incident_id ?? null;
  return { status: "accepted", incident_id, is_new: incident_id !== null && !known?.converged };
}
