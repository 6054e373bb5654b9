import { canonicalJson, hashOfTexts, sha256 } from "../../lib/canonical-json.ts";
import type { NormalisedAlert, Receipt, SourceAlert } from "../types.ts";
import { exprOfLink } from "./alert-words.ts";
import { clipLabel, keptAnnotations, keptLabels, keptLink } from "./bounded.ts";
import type { Classification } from "./classification.ts";
import { classify } from "./classify.ts";
import { anomalyKeyOf, fingerprintOf } from "./keys.ts";
import { restrictionsOf } from "./repair-restrictions.ts";
import { severityOf } from "./severity.ts";
import { subjectOfAlert, targetNameOf, tellingLabels } from "./subject.ts";
import { isMeaningful, ownerOfPod } from "./vocabulary.ts";

// A Map, not an object: a sender may send the name `constructor`.
const ALERT_TYPES = new Map([
  ["KubePodCrashLooping", "k8s_pod_crash"],
  ["KubePodNotReady", "k8s_pod_crash"],
  ["KubeNodeNotReady", "k8s_node_failure"],
  ["KubeNodeUnreachable", "k8s_node_failure"],
  ["HighCPUUsage", "high_cpu"],
  ["HighMemoryUsage", "high_memory"],
  ["DiskSpaceLow", "disk_full"],
  ["SSLCertExpiringSoon", "ssl_expiry"],
  ["TargetDown", "service_404"],
]);

/** All alert types. */
export const KNOWN_ALERT_TYPES: readonly string[] = [
  ...new Set(ALERT_TYPES.values()),
  "db_connection_timeout",
  "custom",
];

/** Systems that a body may name as its source; any other name becomes `manual`. */
const KNOWN_SOURCES = [
  "prometheus",
  "alertmanager",
  "grafana",
  "signoz",
  "sentry",
  "telegram",
  "slack",
  "pagerduty",
];

/** Returns the alert type for an alert name; `custom` where the name is not known. */
export function alertTypeOf(alertName: string): string {
  return ALERT_TYPES.get(alertName) ?? "custom";
}

/** Returns the system that a body names as its source if it is a known one, else `manual`. */
export function sourceNameOf(word: string): string {
  const name = word.trim().toLowerCase();
  return KNOWN_SOURCES.includes(name) ? name : "manual";
}

/**
 * Returns the key of one call, for sources that count calls: the same when its receipt is replayed and, with an
 * `Idempotency-Key`, when its sender repeats it. Another body under the same key is another call.
 */
export function callOf({ seq, sender, idempotency_key, body, received_at }: Receipt): string {
  if (idempotency_key == null) return `receipt:${seq}`;
  // The time distinguishes a call that reuses a key after the key has expired.
  return `key:${hashOfTexts([sender, idempotency_key, sha256(body), received_at.toISOString()])}`;
}

// It is indexed, and index entries cannot be long; vendors' own fingerprints are hashes, or a few words.
const LONGEST_IDENTITY = 200;

function identityOf({ source_fingerprint: given, labels }: SourceAlert): string {
  return given === null ? sha256(canonicalJson(labels)).slice(0, 16) : shortened(given);
}

const shortened = (given: string) => (given.length > LONGEST_IDENTITY ? sha256(given) : given);

const keyOf = (texts: readonly string[]) => hashOfTexts(texts).slice(0, 32);

/**
 * Returns the name of an alert across its outages. It uses the adapter, not the source that a body claims: the sender of one
 * webhook must not end the alerts of another.
 */
export function alertIdentity(adapter: string, organisation: string, source_fingerprint: string): string {
  return keyOf([adapter, organisation, shortened(source_fingerprint)]);
}

/** Returns the keys that an alert with the start `starts_at` may have been stored under before outages were counted. */
export function formerKeys(adapter: string, source_fingerprint: string, starts_at?: Date): string[] {
  const starts = starts_at === undefined ? [] : [starts_at.toISOString()];
  return [...starts, "unknown", "repeated"].map((start) =>
    keyOf([adapter, shortened(source_fingerprint), start]),
  );
}

const isOfCall = (alert: SourceAlert, call: string | undefined) =>
  call !== undefined && alert.starts_at === null && alert.holds_until === undefined;

/** Returns the status of an alert by its `holds_until`: once that time has come the alert is resolved, as in Alertmanager. */
function standing(
  { status, ends_at, holds_until }: SourceAlert,
  received_at: Date,
): Pick<NormalisedAlert, "status" | "ends_at" | "repeated" | "holds_until"> {
  if (holds_until === undefined) return { status, ends_at };
  if (holds_until !== null && holds_until <= received_at)
    return { status: "resolved", ends_at: holds_until, repeated: true };
  return { status: "firing", ends_at: null, repeated: true, holds_until };
}

/** Returns the severity label; undefined: there is none, or it is a template that was not filled in. */
export const severityWord = ({ severity }: Readonly<Record<string, string>>): string | undefined =>
  isMeaningful("severity", severity) ? severity : undefined;

/** Returns the deployment's name for the name of one of its pods; any other name unchanged, since it may end like a pod's. */
function withoutHash(name: string): string {
  const { kind, name: owner } = ownerOfPod(name);
  return kind === "deployment" ? owner : name;
}

/**
 * Normalises an alert. `source` is the adapter that decoded it; `received_at` is used where the alert gives no start; `call`
 * identifies the call where the source counts calls.
 */
export function normalise(
  alert: SourceAlert,
  source: string,
  received_at: Date,
  classification: Classification,
  call?: string,
): NormalisedAlert {
  const labels = keptLabels(alert.labels);
  const annotations = keptAnnotations(alert.annotations);
  const named = [alert.labels.alertname, annotations.title].find((text) => isMeaningful("alertname", text));
  const alert_name = clipLabel(named ?? "unnamed alert");
  const said = alert.alert_type?.toLowerCase() ?? "";
  const alert_type = KNOWN_ALERT_TYPES.includes(said) && said !== "custom" ? said : alertTypeOf(alert_name);
  const expr = alert.expr ?? exprOfLink(alert.generator_url);
  const subject = subjectOfAlert({ labels, alert_name, alert_type, expr });
  const cluster = subject.cluster ?? "";
  const namespace = subject.namespace ?? "default";
  const given = isMeaningful("target", alert.target_resource)
    ? withoutHash(clipLabel(alert.target_resource))
    : undefined;
  const target_resource = given ?? targetNameOf(subject);
  const { category, notification_type, heartbeat, progress } = classify(classification, {
    alert_name,
    severity: labels.severity,
    // All labels: one that is too long to be kept may still decide the classification.
    labels: alert.labels,
    annotations,
    expr,
  });
  const source_fingerprint = identityOf(alert);
  const organisation = clipLabel(alert.organisation ?? "");
  const identity = alertIdentity(source, organisation, source_fingerprint);
  const of_call = isOfCall(alert, call);
  const workload = alert.workload ?? given ?? subject.workload;
  const anomaly_key = anomalyKeyOf({ cluster, namespace, workload, alert_type, alert_name });
  // Where the source has grouped alerts already, its grouping alone says what belongs together.
  const telling = alert.workload === undefined ? tellingLabels(subject, labels, alert_type) : [];
  const message = annotations.summary || annotations.description || alert_name;
  const generator_url = keptLink(alert.generator_url);
  const about = { alert_name, alert_type, target_resource, alert_category: category, notification_type };
  const narrows = restrictionsOf(alert, { ...about, labels, generator_url });
  return {
    identity,
    // No field of the alert itself: a replayed receipt may be decoded in another way.
    instance_key: of_call ? keyOf([source, "call", call ?? "", String(alert.position ?? 0)]) : identity,
    adapter: source,
    organisation,
    source: alert.source === undefined ? source : sourceNameOf(alert.source),
    source_fingerprint,
    fingerprint: fingerprintOf(anomaly_key, { organisation, telling }),
    anomaly_key,
    ...standing(alert, received_at),
    ...about,
    severity: severityOf(severityWord(labels), classification.severities),
    cluster,
    namespace,
    message,
    labels,
    annotations,
    starts_at: alert.starts_at ?? received_at,
    start_known: alert.starts_at !== null && alert.holds_until === undefined,
    of_call,
    generator_url,
    narrows,
    heartbeat,
    progress,
  };
}
