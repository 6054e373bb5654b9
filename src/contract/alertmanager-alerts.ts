import { z } from "zod";
import { wireText } from "./common.ts";

// Field names are those of Alertmanager's API v2, for its clients.

const texts = z.record(z.string(), z.string());

/** The alerts that clients of Alertmanager's API post, as far as we read them. */
export const postableAlerts = z.array(
  z.looseObject({
    labels: texts.describe("Identify the alert: from any sender, the same labels are one alert"),
    annotations: texts.optional(),
    startsAt: z.string().optional(),
    endsAt: z
      .string()
      .optional()
      .describe("RFC 3339; then it resolves. Without it: intake.resolve_timeout after each send"),
    generatorURL: z.string().optional(),
  }),
);

const flag = z.enum(["true", "false"]).optional();

export const alertQuery = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  unprocessed: flag,
  receiver: wireText(200).optional().describe("Ignored: incidents decide who is notified"),
  filter: z
    .preprocess(
      (value) => (typeof value === "string" ? [value] : value),
      z.array(wireText(2_000)).max(50).optional(),
    )
    .describe('Matchers: `alertname="Down"`; repeatable'),
});

export const receiver = z.object({ name: z.string() });

export const gettableAlert = z.object({
  labels: texts,
  annotations: texts,
  startsAt: z.string(),
  endsAt: z.string().describe("When it resolves unless sent again; the zero time where unknown"),
  updatedAt: z.string(),
  generatorURL: z.string(),
  fingerprint: z.string(),
  receivers: z.array(receiver),
  status: z.object({
    state: z.enum(["unprocessed", "active", "suppressed"]),
    silencedBy: z.array(z.string()),
    inhibitedBy: z.array(z.string()),
  }),
});
export type GettableAlert = z.infer<typeof gettableAlert>;

export const alertmanagerStatus = z.object({
  cluster: z.object({ status: z.enum(["ready", "settling", "disabled"]) }),
  versionInfo: z.object({
    version: z.string(),
    revision: z.string(),
    branch: z.string(),
    buildUser: z.string(),
    buildDate: z.string(),
    goVersion: z.string(),
  }),
  config: z.object({ original: z.string() }),
  uptime: z.string(),
});
