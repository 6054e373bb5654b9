/** Computes the key that alerts converge by and the key for learning. Pure. */
import { hashOfTexts } from "../../lib/canonical-json.ts";
import { signalIdentity } from "../signal/identity.ts";
import { exprOfLink } from "./alert-words.ts";
import { subjectOf, tellingLabels } from "./subject.ts";
import { ownerOfPod } from "./vocabulary.ts";

/**
 * The version of both keys, kept with every row: rows of an earlier version are rewritten at the start. Version 1 had one key for
 * both purposes, without the labels that distinguish alerts of one name, and did not set aside a scraper's labels.
 */
export const KEY_VERSION = 2;

type KeyParts = {
  cluster: string;
  namespace: string;
  workload: string;
  alert_type: string;
  alert_name: string;
};

/**
 * Returns the learning key, which names the same trouble across incidents: 128 bits of SHA-256 over cluster, namespace, workload
 * and alert type. For the type `custom`, which says nothing, the alert's name is used.
 */
export function anomalyKeyOf({ cluster, namespace, workload, alert_type, alert_name }: KeyParts): string {
  const type = alert_type === "custom" ? `custom:${alert_name}` : alert_type;
  return hashOfTexts([cluster, namespace, workload, type]).slice(0, 32);
}

/**
 * Returns the convergence key: 128 bits of SHA-256 over the anomaly key, the sender's organisation and the labels that
 * distinguish alerts of one name. Unlike alerts never merge.
 */
export function fingerprintOf(
  anomaly_key: string,
  { organisation, telling }: { organisation: string; telling: readonly (readonly [string, string])[] },
): string {
  return hashOfTexts([`v${KEY_VERSION}`, anomaly_key, organisation, ...telling.flat()]).slice(0, 32);
}

/** A stored alert under keys of version 1. */
export type OldKeys = {
  fingerprint: string;
  source_fingerprint: string;
  cluster: string;
  namespace: string;
  target_resource: string;
  alert_name: string;
  alert_type: string;
  labels: Record<string, string>;
  generator_url: string | null;
};
export type AlertKeys = { fingerprint: string; source_fingerprint: string; anomaly_key: string };

// The labels that version 1 used.
const TARGETS_1 =
  "component deployment statefulset daemonset job_name pod persistentvolumeclaim node instance".split(" ");
const SERVICES_1 = ["service", "app", "job"];

function workload1(labels: Record<string, string>, alert_name: string): string {
  const target = TARGETS_1.find((name) => labels[name]);
  if (target !== undefined)
    return target === "pod" ? ownerOfPod(labels.pod ?? "").name : (labels[target] ?? "");
  return labels[SERVICES_1.find((name) => labels[name]) ?? ""] ?? alert_name;
}

// Version 1 stored no organisation, but Grafana's links name it; its first organisation counts as none.
function organisationOfLink(link: string | null): string {
  const organisation = URL.parse(link ?? "")?.searchParams.get("orgId") ?? "";
  return organisation === "1" ? "" : organisation;
}

/**
 * Returns the present keys of an alert stored under version 1. What the old key was made of is found by recomputing it: from
 * labels, or from a target that the body named; otherwise the source had grouped it, and its key stays the learning key.
 */
export function rewrittenKeys(row: OldKeys): AlertKeys {
  const { alert_name, alert_type, labels, target_resource } = row;
  const made = (workload: string) => anomalyKeyOf({ ...row, workload }) === row.fingerprint;
  const ofLabels = made(workload1(labels, alert_name));
  const keys = (anomaly_key: string, telling: [string, string][]): AlertKeys => {
    const organisation = organisationOfLink(row.generator_url);
    const fingerprint = fingerprintOf(anomaly_key, { organisation, telling });
    const isSignal = row.source_fingerprint === signalIdentity(row.fingerprint);
    return {
      fingerprint,
      anomaly_key,
      source_fingerprint: isSignal ? signalIdentity(fingerprint) : row.source_fingerprint,
    };
  };
  if (!ofLabels && !made(target_resource)) return keys(row.fingerprint, []);
  const subject = subjectOf(labels, { alert_name, alert_type, expr: exprOfLink(row.generator_url) });
  const anomaly_key = anomalyKeyOf({
    cluster: subject.cluster ?? "",
    namespace: subject.namespace ?? "default",
    workload: ofLabels ? subject.workload : target_resource,
    alert_type,
    alert_name,
  });
  return keys(anomaly_key, tellingLabels(subject, labels, alert_type));
}
