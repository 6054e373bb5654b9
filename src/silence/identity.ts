import type { Matcher } from "../contract/matcher.ts";

// Labels that identify an incident: where its alerts are, and what they are about. Pods are left out, since they come and go.
const LABELS = [
  "cluster",
  "namespace",
  "component",
  "deployment",
  "statefulset",
  "daemonset",
  "job_name",
  "persistentvolumeclaim",
  "node",
  "process",
  "service",
  "app",
  "job",
  "instance",
];

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Returns matchers that fit all of these alerts: by their names, and by each label above that they all share. */
export function identityOf(
  alerts: readonly { alert_name: string; labels: Readonly<Record<string, string>> }[],
): Matcher[] {
  const names = [...new Set(alerts.flatMap(({ labels }) => labels.alertname || []))].sort();
  const named = alerts.every(({ labels }) => labels.alertname) && names.length > 0 && names.length <= 10;
  const byName: Matcher = {
    name: "alertname",
    value: names.length === 1 ? (names[0] ?? "") : names.map(escaped).join("|"),
    is_regex: names.length > 1,
    is_equal: true,
  };
  const shared = LABELS.flatMap((name): Matcher[] => {
    const value = alerts[0]?.labels[name];
    const same = value !== undefined && value !== "" && alerts.every(({ labels }) => labels[name] === value);
    return same && value.length <= 1_000 ? [{ name, value, is_regex: false, is_equal: true }] : [];
  });
  return named && byName.value.length <= 1_000 ? [byName, ...shared] : shared;
}
