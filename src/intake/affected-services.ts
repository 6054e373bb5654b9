import { workloadOfPod } from "./normalise.ts";

// An exporter's job names what watches, not what is watched. Compared without `-` and `_`.
const INFRASTRUCTURE_JOBS = new Set([
  "node",
  "nodeexporter",
  "pushgateway",
  "blackbox",
  "prometheus",
  "alertmanager",
  "cadvisor",
  "kubestatemetrics",
]);

function isInfrastructureJob(job: string): boolean {
  const folded = job.toLowerCase().replace(/[-_]/g, "");
  return INFRASTRUCTURE_JOBS.has(folded) || folded.endsWith("exporter");
}

/** The services that an alert is about, from the first of its labels that says so. */
export function affectedServices(alert: {
  labels: Record<string, string>;
  target_resource: string;
  alert_name: string;
}): string[] {
  const { component, job, pod } = alert.labels;
  if (component) return [component];
  if (job && !isInfrastructureJob(job)) return [job];
  if (pod) return [workloadOfPod(pod)];
  const target = alert.target_resource;
  if (target.includes(":") || target === alert.alert_name || /^\d/.test(target)) return [];
  return [target];
}
