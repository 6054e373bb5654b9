import { z } from "zod";
import { alertmanagerCall } from "../../../contract/webhook.ts";

const legacyRule = z.looseObject({
  ruleId: z.number().int(),
  ruleName: z.string(),
  state: z.enum(["ok", "alerting", "no_data", "paused", "pending", "unknown"]),
  orgId: z.number().int().optional(),
  ruleUrl: z.string().optional(),
  title: z.string().optional(),
  message: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  evalMatches: z
    .array(
      z.looseObject({
        metric: z.string(),
        value: z.number().nullable(),
        tags: z.record(z.string(), z.string()).nullish(),
      }),
    )
    .nullish(),
});

/** A call of unified alerting, which is Alertmanager's format and more, or one rule of legacy alerting. */
export const grafanaCall = z.union([alertmanagerCall, legacyRule]);
