import { canonicalJson, hashOfTexts, sha256 } from "../lib/canonical-json.ts";
import { exprOfLink } from "./alert-words.ts";
import { cut, keptAnnotations, keptLabels, keptLink } from "./bounded.ts";
import type { Classification } from "./classification.ts";
import { classify } from "./classify.ts";
import { anomalyKeyOf, fingerprintOf } from "./keys.ts";
import { narrowsOf } from "./narrows.ts";
import { severityOf } from "./severity.ts";
import { subjectOfAlert, targetNameOf, tellingLabels } from "./subject.ts";
import type { NormalisedAlert, Receipt, SourceAlert } from "./types.ts";
import { ownerOfPod, says } from "./vocabulary.ts";

// Maps, not objects: a sender's word may be `constructor`.
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

/** What an alert can be of. */
export const KNOWN_ALERT_TYPES: readonly string[] = [
  ...new Set(ALERT_TYPES.values()),
  "db_connection_timeout",
  "custom",
];

/** Systems that alerts come from; whatever else a body names is `manual`. */
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

/** What kind of trouble the alert name stands for; `custom` where the name says nothing of it. */
export function alertTypeOf(alertName: string): string {
  return ALERT_TYPES.get(alertName) ?? "custom";
}

/** The system that a body says it comes from, as one of those that we know, else `manual`. */
export function sourceNameOf(word: string): string {
  const name = word.trim().toLowerCase();
  return KNOWN_SOURCES.includes(name) ? name : "manual";
}

/**
 * What one call is to a source that counts calls: the same when its receipt is replayed, and, with an
 * `Idempotency-Key`, when its sender repeats it. Another body under the same key is another call.
 */
export function callOf({ seq, sender, idempotency_key, body, received_at }: Receipt): string {
  if (idempotency_key == null) return `receipt:${seq}`;
  // The time tells calls apart that use a key again after it was forgotten.
  return `key:${hashOfTexts([sender, idempotency_key, sha256(body), received_at.toISOString()])}`;
}

// It is in an index, which takes no mebibyte; vendors' own are hashes, or a few words.
const LONGEST_IDENTITY = 200;

function identityOf({ source_fingerprint: given, labels }: SourceAlert): string {
  return given === null ? sha256(canonicalJson(labels)).slice(0, 16) : shortened(given);
}

const shortened = (given: string) => (given.length > LONGEST_IDENTITY ? sha256(given) : given);

const keyOf = (texts: readonly string[]) => hashOfTexts(texts).slice(0, 32);

/**
 * Names an alert, whatever its outages. By the adapter, not by the source that a body claims: the sender of
 * one webhook must not end the alerts of another.
 */
export function alertIdentity(adapter: string, organisation: string, source_fingerprint: string): string {
  return keyOf([adapter, organisation, shortened(source_fingerprint)]);
}

/** The keys under which an alert that began at `starts_at` may lie from before outages were counted. */
export function formerKeys(adapter: string, source_fingerprint: string, starts_at?: Date): string[] {
  const starts = starts_at === undefined ? [] : [starts_at.toISOString()];
  return [...starts, "unknown", "repeated"].map((start) =>
    keyOf([adapter, shortened(source_fingerprint), start]),
  );
}

const isOfCall = (alert: SourceAlert, call: string | undefined) =>
  call !== undefined && alert.starts_at === null && alert.holds_until === undefined;

/** How an alert stands that holds until some time: at that time it is over, as Alertmanager judges. */
function standing(
  { status, ends_at, holds_until }: SourceAlert,
  received_at: Date,
): Pick<NormalisedAlert, "status" | "ends_at" | "repeated" | "holds_until"> {
  if (holds_until === undefined) return { status, ends_at };
  if (holds_until !== null && holds_until <= received_at)
    return { status: "resolved", ends_at: holds_until, repeated: true };
  return { status: "firing", ends_at: null, repeated: true, holds_until };
}

/** The word for how bad it is; undefined: there is none, or a template that was not filled in. */
export const severityWord = ({ severity }: Readonly<Record<string, string>>): string | undefined =>
  says("severity", severity) ? severity : undefined;

/** The name of a deployment where it is that of its pod; other names may end as pods' do. */
function withoutHash(name: string): string {
  const { kind, name: owner } = ownerOfPod(name);
  return kind === "deployment" ? owner : name;
}

/**
 * An alert in AWOOOI's terms. `source` is the adapter that understood it; `received_at` stands in for a
 * start that it did not give; `call` names the call where the source counts calls.
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
  const named = [alert.labels.alertname, annotations.title].find((text) => says("alertname", text));
  const alert_name = cut(named ?? "unnamed alert");
  const said = alert.alert_type?.toLowerCase() ?? "";
  const alert_type = KNOWN_ALERT_TYPES.includes(said) && said !== "custom" ? said : alertTypeOf(alert_name);
  const expr = alert.expr ?? exprOfLink(alert.generator_url);
  const subject = subjectOfAlert({ labels, alert_name, alert_type, expr });
  const cluster = subject.cluster ?? "";
  const namespace = subject.namespace ?? "default";
  const given = says("target", alert.target_resource) ? withoutHash(cut(alert.target_resource)) : undefined;
  const target_resource = given ?? targetNameOf(subject);
  const { category, notification_type, heartbeat, progress } = classify(classification, {
    alert_name,
    severity: labels.severity,
    // All of them: what is not kept may still make it less.
    labels: alert.labels,
    annotations,
    expr,
  });
  const source_fingerprint = identityOf(alert);
  const organisation = cut(alert.organisation ?? "");
  const identity = alertIdentity(source, organisation, source_fingerprint);
  const of_call = isOfCall(alert, call);
  const workload = alert.workload ?? given ?? subject.workload;
  const anomaly_key = anomalyKeyOf({ cluster, namespace, workload, alert_type, alert_name });
  // Of what its source has grouped, that says what belongs together.
  const telling = alert.workload === undefined ? tellingLabels(subject, labels, alert_type) : [];
  const message = annotations.summary || annotations.description || alert_name;
  const generator_url = keptLink(alert.generator_url);
  const about = { alert_name, alert_type, target_resource, alert_category: category, notification_type };
  const narrows = narrowsOf(alert, { ...about, labels, generator_url });
  return {
    identity,
    // Nothing of the alert itself: a receipt that is replayed may be understood in another way.
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
