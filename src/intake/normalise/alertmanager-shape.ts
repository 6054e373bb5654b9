import { z } from "zod";
import { anyText, anyValue, optionalText, texts, time } from "../../contract/lenient.ts";
import type { SourceAlert } from "../types.ts";
import type { DecodeSteps } from "./decode-steps.ts";

const alert = z.object({
  status: anyValue,
  labels: texts,
  annotations: texts,
  startsAt: time,
  endsAt: time,
  fingerprint: optionalText,
  generatorURL: optionalText,
});

const webhook = z.object({
  status: anyValue,
  alerts: z.array(z.unknown()),
  commonLabels: texts,
  commonAnnotations: texts,
  truncatedAlerts: z.number().int().min(0).catch(0),
  externalURL: optionalText,
});

const single = z.object({
  labels: texts,
  commonLabels: texts,
  annotations: texts,
  commonAnnotations: texts,
  status: anyText,
  state: anyText,
  alertname: anyText,
  title: anyText,
  summary: anyText,
});

/** Wraps a body that is a single alert, as templates and scripts send it, in a list; returns any other body unchanged. */
function inList(body: unknown): unknown {
  const { data } = single.safeParse(body);
  if (data === undefined || "alerts" in (body as object)) return body;
  const { alertname, title, summary } = data;
  const status = data.status ?? (/^(ok|resolved)$/i.test(data.state ?? "") ? "resolved" : "firing");
  const labels = { ...(alertname === null ? {} : { alertname }), ...data.commonLabels, ...data.labels };
  if (Object.keys(labels).length === 0) return body;
  const beside = { ...(title === null ? {} : { title }), ...(summary === null ? {} : { summary }) };
  const annotations = { ...beside, ...data.commonAnnotations, ...data.annotations };
  return { alerts: [{ ...(body as object), status, labels, annotations }] };
}

function decodeAlert(raw: unknown, group: z.infer<typeof webhook>): SourceAlert | undefined {
  const parsed = alert.safeParse(raw);
  if (!parsed.success) return undefined;
  const { labels, annotations, startsAt, endsAt, fingerprint, generatorURL } = parsed.data;
  // Judged per alert: a group that is firing may hold resolved alerts.
  const said = typeof parsed.data.status === "string" ? parsed.data.status : group.status;
  const status = typeof said === "string" ? said.toLowerCase() : said;
  return {
    status: status === "resolved" ? "resolved" : "firing",
    labels: Object.keys(labels).length > 0 ? labels : group.commonLabels,
    annotations: Object.keys(annotations).length > 0 ? annotations : group.commonAnnotations,
    starts_at: startsAt,
    ends_at: status === "resolved" ? endsAt : null,
    source_fingerprint: fingerprint,
    generator_url: generatorURL,
  };
}

/**
 * Decodes the body of Alertmanager's webhook, version 4, which other vendors send as well, or one flat alert. `vendor` names the
 * sender in error messages; `complete` adds what the vendor's own fields of an alert say.
 */
export function* decodeAlertmanager(
  body: unknown,
  vendor: string,
  complete: (alert: SourceAlert, raw: unknown) => SourceAlert = (one) => one,
): DecodeSteps {
  const parsed = webhook.safeParse(inList(body));
  if (!parsed.success)
    return { ok: false, reason: `not a webhook of ${vendor}: there is no list \`alerts\`` };
  const alerts: SourceAlert[] = [];
  const rejected: string[] = [];
  for (const [index, raw] of parsed.data.alerts.entries()) {
    const decoded = decodeAlert(raw, parsed.data);
    if (decoded === undefined) rejected.push(`alerts[${index}] is not an object`);
    else alerts.push(complete(decoded, raw));
    yield;
  }
  const { truncatedAlerts: truncated, externalURL: external_url } = parsed.data;
  return { ok: true, alerts, truncated, rejected, ...(external_url === null ? {} : { external_url }) };
}
