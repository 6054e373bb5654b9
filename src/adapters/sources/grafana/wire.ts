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

/** Grafana's unified alerting, which sends Alertmanager's shape and more, or one rule of the alerting before it. */
export const grafanaCall = z.union([alertmanagerCall, legacyRule]);
