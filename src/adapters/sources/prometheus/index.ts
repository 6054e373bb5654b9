import { z } from "zod";
import { postableAlerts } from "../../../contract/alertmanager-alerts.ts";
import { optionalText, texts, time } from "../../../contract/lenient.ts";
import {
  type DecodeSteps,
  decodeInSteps,
  type Source,
  type SourceAlert,
  type SourceKind,
} from "../../../intake/index.ts";

const alert = z.object({
  labels: texts,
  annotations: texts,
  startsAt: time,
  endsAt: time,
  generatorURL: optionalText,
});

/** Drops labels with an empty value, as Prometheus and Alertmanager do. */
const set = (labels: Record<string, string>) =>
  Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));

function decodeAlert(raw: unknown): SourceAlert | string {
  const parsed = alert.safeParse(raw);
  if (!parsed.success) return "is not an object";
  const { annotations, startsAt, endsAt, generatorURL } = parsed.data;
  const labels = set(parsed.data.labels);
  if (Object.keys(labels).length === 0) return "has no labels";
  if (Object.hasOwn(labels, "")) return "has a label without a name";
  if (startsAt !== null && endsAt !== null && endsAt < startsAt) return "ends before it starts";
  return {
    // Firing until `endsAt`; intake compares that with the time of receipt.
    status: "firing",
    holds_until: endsAt,
    labels,
    annotations,
    starts_at: startsAt,
    ends_at: null,
    source_fingerprint: null,
    generator_url: generatorURL,
  };
}

function* decode(body: unknown): DecodeSteps {
  if (!Array.isArray(body)) return { ok: false, reason: "not a list of alerts, as Prometheus sends them" };
  const alerts: SourceAlert[] = [];
  const rejected: string[] = [];
  for (const [index, raw] of body.entries()) {
    const decoded = decodeAlert(raw);
    if (typeof decoded === "string") rejected.push(`[${index}] ${decoded}`);
    else alerts.push(decoded);
    yield;
  }
  return { ok: true, alerts, truncated: 0, rejected };
}

/** The list of alerts that Prometheus, `amtool alert add` and others post to Alertmanager's API v2. */
export const prometheus = {
  id: "prometheus",
  name: "Prometheus",
  keywords: ["prom", "amtool"],
  endpoints: [
    {
      path: "/api/v2/alerts",
      summary: "Alertmanager's API for senders of alerts: Prometheus, amtool and others",
      body: postableAlerts,
      // Alertmanager answers an accepted list with an empty body, too.
      answer: { status: 200, schema: z.object({}), of: () => ({}) },
    },
  ],
  credentials: "sender",
  documentation: "sources.md#prometheus-and-what-sends-to-alertmanager",
  create: (): Source => ({
    id: "prometheus",
    sender: ({ network }) => network,
    decode: decodeInSteps(decode),
  }),
} as const satisfies SourceKind;
