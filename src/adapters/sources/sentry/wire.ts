import { z } from "zod";
import type { WebhookAnswer } from "../../../contract/webhook.ts";

/** A webhook of a Sentry integration; the key under `data` says which kind it is. */
export const sentryCall = z.looseObject({
  action: z.string().optional(),
  data: z.looseObject({
    issue: z.looseObject({ id: z.string() }).optional(),
    error: z.looseObject({ issue_id: z.string().optional() }).optional(),
    event: z.looseObject({ issue_id: z.string().optional() }).optional(),
    triggered_rule: z.string().optional(),
    metric_alert: z.looseObject({ id: z.string() }).optional(),
  }),
  installation: z.looseObject({ uuid: z.string() }).optional(),
});

export const sentryAnswer = z.discriminatedUnion("status", [
  z.object({
    status: z.enum(["accepted", "deduplicated"]),
    incident_id: z.string().nullable().describe("null where it is not known yet, or there is none"),
  }),
  z.object({ status: z.literal("ignored"), reason: z.literal("no alert") }),
]);
export type SentryAnswer = z.infer<typeof sentryAnswer>;

/** Returns the answer. `alerts`: the call has an alert; `fires`: one of them fires. */
export function answerSentry(
  { alerts, fires }: { alerts: boolean; fires: boolean },
  known: WebhookAnswer | null,
): SentryAnswer {
  if (!alerts) return { status: "ignored", reason: "no alert" };
  // A resolved alert is never a duplicate, even for an incident that exists already.
  const status = fires && known?.converged ? "deduplicated" : "accepted";
  return { status, incident_id: known?.incident_id ?? null };
}
