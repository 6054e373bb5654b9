import { canonicalJson, sha256 } from "../../lib/canonical-json.ts";
import type { SourceAlert } from "../types.ts";
import type { DecodeSteps } from "./decode-steps.ts";

/** The fields of one alert in AWOOOI's generic form, however the body names them. null: not given. */
export type GenericForm = {
  status: string | null;
  name: string | null;
  severity: string | null;
  source: string | null;
  target_resource: string | null;
  namespace: string | null;
  message: string | null;
  labels: Record<string, string>;
  annotations: Record<string, string>;
};

// `deployment/api`, kubectl's notation, means the same as the label `deployment`.
const KIND_AND_NAME = /^(deployment|statefulset|daemonset|pod|node)s?\/([a-z0-9.-]+)$/i;

/** Returns the body's labels, overridden by its own fields for the same things. */
function labelsOf({
  labels,
  name,
  severity,
  namespace,
  target_resource,
}: GenericForm): SourceAlert["labels"] {
  const alertname = labels.alertname || name;
  const [, kind, object] = KIND_AND_NAME.exec(target_resource ?? "") ?? [];
  return {
    ...labels,
    ...(alertname ? { alertname } : {}),
    ...(severity === null ? {} : { severity }),
    ...(namespace === null ? {} : { namespace }),
    ...(kind === undefined || object === undefined ? {} : { [kind.toLowerCase()]: object }),
  };
}

/** Returns the fingerprint, made of what stays the same while the alert lasts: not its message, values or severity. */
function fingerprintOf({ source, target_resource }: GenericForm, labels: Record<string, string>): string {
  const { severity: _, ...lasting } = labels;
  return sha256(canonicalJson([source?.toLowerCase() ?? null, target_resource, lasting])).slice(0, 16);
}

/** Returns one alert in the generic form, without a start; undefined when the form has neither a name nor a message. */
export function genericAlert(form: GenericForm, position: number): SourceAlert | undefined {
  const { annotations, message, target_resource } = form;
  const labels = labelsOf(form);
  if (!labels.alertname && message === null) return undefined;
  return {
    status: form.status?.toLowerCase() === "resolved" ? "resolved" : "firing",
    labels,
    annotations: { ...annotations, ...(message === null ? {} : { summary: message }) },
    starts_at: null,
    ends_at: null,
    source_fingerprint: fingerprintOf(form, labels),
    generator_url: null,
    source: form.source ?? "manual",
    ...(target_resource === null || KIND_AND_NAME.test(target_resource) ? {} : { target_resource }),
    position,
  };
}

const isObject = (value: unknown): value is object => value !== null && typeof value === "object";

/** Returns the list in a body of several alerts: an array, or `alerts` in an object; null: it is a single alert. */
function listOf(body: unknown): unknown[] | null {
  if (Array.isArray(body)) return body;
  return isObject(body) && "alerts" in body && Array.isArray(body.alerts) ? body.alerts : null;
}

/** Decodes a body of one alert or several with `decode`, which returns as text why one cannot be decoded. */
export function* decodeEach(
  body: unknown,
  decode: (raw: unknown, position: number) => SourceAlert | string,
): DecodeSteps {
  const several = listOf(body);
  const alerts: SourceAlert[] = [];
  const rejected: string[] = [];
  for (const [index, raw] of (several ?? [body]).entries()) {
    const decoded = decode(raw, index);
    const at = several === null ? "the body" : `alerts[${index}]`;
    if (typeof decoded === "string") rejected.push(`${at} ${decoded}`);
    else alerts.push(decoded);
    yield;
  }
  if (several === null && rejected[0] !== undefined) return { ok: false, reason: rejected[0] };
  return { ok: true, alerts, truncated: 0, rejected };
}
