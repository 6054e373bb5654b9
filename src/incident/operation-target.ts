import type { OperationTarget } from "../contract/incident.ts";

/** A configured host, and everything that alerts may call it. */
export type KnownHost = { name: string; names: readonly string[] };

/** Local processes that AWOOOI supervises, by name, and hosts that it reaches. */
export type KnownTargets = { processes: readonly string[]; hosts?: readonly KnownHost[] };

const WORKLOADS = ["deployment", "statefulset", "daemonset"] as const;
const PROCESS_LABELS = ["process", "component", "service", "job", "app"];
// Letters that Kubernetes draws suffixes from; with both hashes the owner is a deployment for certain.
const DEPLOYMENT_POD = /^(.+)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/;
const STATEFUL_POD = /^(.+)-\d+$/;

const HOST_LABELS = ["host", "hostname", "nodename", "node", "instance"];
const UNIT = /^[\w.:@-]+\.(service|timer|socket|path)$/;

/** `10.0.0.5:9100`, `[::1]:9100` and `https://web1/x` are their host. */
const hostPart = (text: string) =>
  text
    .replace(/^[a-z]+:\/\//, "")
    .replace(/\/.*$/, "")
    .replace(/^\[([^\]]*)\](:\d+)?$/, "$1")
    .replace(/^([^:]*):\d+$/, "$1")
    .toLowerCase();

/** The systemd unit that an alert names, as those of node_exporter and systemd_exporter do. */
function unitOf({ unit, systemd_unit, name, service }: Record<string, string>): string | undefined {
  const named = unit ?? systemd_unit;
  return named || [name, service].find((one) => one !== undefined && UNIT.test(one));
}

/** The container that an alert names, as those of cAdvisor and of Docker's own exporters do. */
function containerOf(labels: Record<string, string>): string | undefined {
  const { container_name, container, name, id = "", image, job = "", alertname = "" } = labels;
  const ofContainers =
    image !== undefined || /docker|podman|libpod/.test(id) || /cadvisor|docker|podman/i.test(job);
  return (
    container_name || container || (ofContainers || /container|docker/i.test(alertname) ? name : undefined)
  );
}

/** The configured host that the alert comes from, or the unit or container on it. */
function onKnownHost(
  labels: Record<string, string>,
  target_resource: string,
  hosts: readonly KnownHost[],
): OperationTarget | undefined {
  const said = [...HOST_LABELS.map((label) => labels[label] ?? ""), target_resource].map(hostPart);
  const found = said
    .filter((one) => one !== "")
    .map((one) => hosts.find(({ names }) => names.some((name) => name.toLowerCase() === one)))
    .find((one) => one !== undefined);
  if (found === undefined) return undefined;
  const { name: host } = found;
  const unit = unitOf(labels);
  if (unit) return { kind: "unit", name: unit, host };
  // In a namespace it is Kubernetes that runs the container, not the host's own runtime.
  const container = labels.namespace ? undefined : containerOf(labels);
  return container ? { kind: "container", name: container, host } : { kind: "host", name: host };
}

/**
 * The exact object that an alert is about, from its labels: a Kubernetes workload, a supervised process, a
 * host, or a unit or container on one that is configured; else what services it names, as `unknown`; null when it names nothing. A Kubernetes label wins
 * over a process that happens to have the same name.
 */
export function operationTarget(
  alert: { labels: Record<string, string>; namespace: string; cluster: string; target_resource: string },
  services: readonly string[],
  known: KnownTargets,
): OperationTarget | null {
  const { labels } = alert;
  const inCluster = {
    namespace: alert.namespace,
    ...(alert.cluster === "" ? {} : { cluster: alert.cluster }),
  };
  for (const kind of WORKLOADS) {
    if (labels[kind]) return { kind, name: labels[kind], ...inCluster };
  }
  if (labels.pod) {
    const deployment = DEPLOYMENT_POD.exec(labels.pod)?.[1];
    if (deployment !== undefined) return { kind: "deployment", name: deployment, ...inCluster };
    const set = STATEFUL_POD.exec(labels.pod)?.[1];
    if (set !== undefined) return { kind: "statefulset", name: set, ...inCluster };
    return { kind: "pod", name: labels.pod, ...inCluster };
  }
  const names = [...PROCESS_LABELS.map((label) => labels[label]), alert.target_resource];
  const process = names.find((name) => name !== undefined && known.processes.includes(name));
  if (process !== undefined) return { kind: "process", name: process };
  const onHost = onKnownHost(labels, alert.target_resource, known.hosts ?? []);
  if (onHost !== undefined) return onHost;
  if (labels.node) return { kind: "host", name: labels.node };
  const instance = labels.instance?.replace(/:\d+$/, "");
  if (instance) return { kind: "host", name: instance };
  const [service] = services;
  return service === undefined ? null : { kind: "unknown", name: service, ...inCluster };
}
