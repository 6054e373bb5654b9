import { z } from "zod";
import { anyText, optionalText, texts, time } from "../../../contract/lenient.ts";
import type { Decoded, Source, SourceAlert, SourceDescription } from "../../../intake/index.ts";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";

const alert = z.object({
  status: anyText,
  alert_type: anyText,
  severity: anyText,
  source: anyText,
  target_resource: anyText,
  namespace: anyText,
  message: anyText,
  metrics: anyText,
  labels: texts,
  annotations: texts,
  startsAt: time,
  starts_at: time,
  endsAt: time,
  ends_at: time,
  fingerprint: optionalText,
  generatorURL: optionalText,
  generator_url: optionalText,
});
type Fields = z.infer<typeof alert>;

// `deployment/api`, as kubectl writes it, is what the label `deployment` says.
const KIND_AND_NAME = /^(deployment|statefulset|daemonset|pod|node)s?\/([a-z0-9.-]+)$/i;

/** The labels of the body, and what its own fields say of the same things. */
function labelsOf({
  labels,
  alert_type,
  severity,
  namespace,
  target_resource,
}: Fields): SourceAlert["labels"] {
  const alertname = labels.alertname || alert_type;
  const [, kind, name] = KIND_AND_NAME.exec(target_resource ?? "") ?? [];
  return {
    ...labels,
    ...(alertname ? { alertname } : {}),
    ...(severity === null ? {} : { severity }),
    ...(namespace === null ? {} : { namespace }),
    ...(kind === undefined || name === undefined ? {} : { [kind.toLowerCase()]: name }),
  };
}

function annotationsOf({ annotations, message, metrics }: Fields): SourceAlert["annotations"] {
  const measured = metrics !== null && !["{}", "[]"].includes(metrics);
  return {
    ...annotations,
    ...(message === null ? {} : { summary: message }),
    ...(measured ? { metrics } : {}),
  };
}

/** What stays the same while the alert does: not its words, its values or how bad it is. */
function fingerprintOf(fields: Fields, labels: Record<string, string>): string {
  const { severity: _, ...lasting } = labels;
  const { source, target_resource } = fields;
  return sha256(canonicalJson([source?.toLowerCase() ?? null, target_resource, lasting])).slice(0, 16);
}

function decodeAlert(raw: unknown, position: number): SourceAlert | string {
  const parsed = alert.safeParse(raw);
  if (!parsed.success) return "is not an object";
  const fields = parsed.data;
  const { status, alert_type, message, source, target_resource } = fields;
  const labels = labelsOf(fields);
  if (!labels.alertname && message === null) return "has no `alert_type`, no label `alertname`, no `message`";
  const resolved = status?.toLowerCase() === "resolved";
  return {
    status: resolved ? "resolved" : "firing",
    labels,
    annotations: annotationsOf(fields),
    starts_at: fields.startsAt ?? fields.starts_at,
    ends_at: resolved ? (fields.endsAt ?? fields.ends_at) : null,
    source_fingerprint: fields.fingerprint ?? fingerprintOf(fields, labels),
    generator_url: fields.generatorURL ?? fields.generator_url,
    source: source ?? "manual",
    ...(alert_type === null ? {} : { alert_type }),
    ...(target_resource === null || KIND_AND_NAME.test(target_resource) ? {} : { target_resource }),
    position,
  };
}

const list = z.union([z.array(z.unknown()), z.object({ alerts: z.array(z.unknown()) })]);

function decode(body: unknown): Decoded {
  const several = list.safeParse(body);
  const raw = !several.success ? [body] : Array.isArray(several.data) ? several.data : several.data.alerts;
  const alerts: SourceAlert[] = [];
  const rejected: string[] = [];
  raw.forEach((one, index) => {
    const decoded = decodeAlert(one, index);
    const at = several.success ? `alerts[${index}]` : "the body";
    if (typeof decoded === "string") rejected.push(`${at} ${decoded}`);
    else alerts.push(decoded);
  });
  if (!several.success && rejected[0] !== undefined) return { ok: false, reason: rejected[0] };
  return { ok: true, alerts, truncated: 0, rejected };
}

/** Alerts in AWOOOI's own form, from scripts and whatever has no adapter: one, or a list of them. */
export const generic = {
  id: "generic",
  describe: (): SourceDescription => ({
    name: "Generic alert",
    kind: "source",
    path: "/api/v1/webhooks/alerts",
    capabilities: ["firing", "resolved", "batch", "idempotency key"],
  }),
  create: (): Source => ({ id: "generic", counts_calls: true, decode }),
};
