import { subjectOfAlert } from "./subject.ts";
import { exporterNamed, workloadOfPod } from "./vocabulary.ts";

/** Returns the services that an alert is about, from the first label that names one. */
export function affectedServices(alert: {
  labels: Record<string, string>;
  target_resource: string;
  alert_name: string;
  alert_type?: string;
  generator_url?: string | null;
}): string[] {
  const { component, job, pod } = subjectOfAlert(alert).labels;
  if (component) return [component];
  // An exporter's job names what observes, not what is observed.
  if (job && exporterNamed(job) === undefined) return [job];
  if (pod) return [workloadOfPod(pod)];
  const target = alert.target_resource;
  if (target.includes(":") || target === alert.alert_name || /^\d/.test(target)) return [];
  return [target];
}
