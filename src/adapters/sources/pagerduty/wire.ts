import { z } from "zod";

/** An event of PagerDuty's Events API, version 2: the fields that are read. */
export const pagerdutyEvent = z.looseObject({
  routing_key: z.string().optional().describe("One of `pagerduty.routing_keys`"),
  event_action: z.enum(["trigger", "acknowledge", "resolve"]),
  dedup_key: z
    .string()
    .max(255)
    .optional()
    .describe("Identifies the alert. A trigger without one gets one, the same for the same event"),
  payload: z
    .looseObject({
      summary: z.string(),
      source: z.string().optional(),
      severity: z.enum(["critical", "error", "warning", "info"]).optional(),
      timestamp: z.string().optional(),
      component: z.string().optional(),
      group: z.string().optional(),
      class: z.string().optional().describe("Its name; without it the summary, less its numbers"),
      custom_details: z.unknown().optional(),
    })
    .optional()
    .describe("Of a trigger"),
  images: z.array(z.unknown()).optional(),
  links: z.array(z.unknown()).optional(),
  client: z.string().optional(),
  client_url: z.string().optional(),
});

/** The answers have PagerDuty's own format, which its clients expect. */
export const pagerdutyAccepted = z.object({
  status: z.literal("success"),
  message: z.string(),
  dedup_key: z.string(),
});
export const pagerdutyInvalid = z.object({
  status: z.literal("invalid event"),
  message: z.string(),
  errors: z.array(z.string()),
});
