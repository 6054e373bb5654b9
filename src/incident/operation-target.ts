import type { OperationTarget } from "../contract/incident.ts";
import {
  ownerOfPod,
  type Subject,
  subjectOf,
  subjectOfAlert,
  workloadOfReplicaSet,
} from "../intake/index.ts";

/** A configured host, and all names that alerts may use for it. */
export type KnownHost = { name: string; names: readonly string[] };

/** The configured targets: supervised local processes and hosts, by name, and a test whether a target can be observed. */
export type KnownTargets = {
  processes: readonly string[];
  /** Whether a name or address is this machine's, where the processes run. Without it only loopback addresses are. */
  isHere?: (host: string) => boolean;
  hosts?: readonly KnownHost[];
  looksAt?: (target: OperationTarget) => boolean;
};

const PROCESS_LABELS = ["process", "component", "service", "job", "app"];
const HOST_LABELS = ["host", "hostname", "nodename", "node", "instance"];
// These labels also tell machines apart, though no configured host is named by the additional ones.
const MACHINE_LABELS = [...HOST_LABELS, "server", "machine", "vm"];
const LOOPS_BACK = /^(localhost|127(\.\d+){3}|::1|host\.docker\.internal)$/;
const UNIT = /^[\w.:@-]+\.(service|timer|socket|path)$/;

/** Returns the host of an address: `10.0.0.5:9100`, `[::1]:9100` and `https://web1/x` lose scheme, port and path. */
const hostPart = (text: string) =>
  text
    .replace(/^[a-z]+:\/\//, "")
    .replace(/\/.*$/, "")
    .replace(/^\[([^\]]*)\](:\d+)?$/, "$1")
    .replace(/^([^:]*):\d+$/, "$1")
    .toLowerCase();

/** Returns the systemd unit that an alert names, as node_exporter and systemd_exporter do. */
function unitOf({ unit, systemd_unit, name, service }: Record<string, string>): string | undefined {
  const named = unit ?? systemd_unit;
  return named || [name, service].find((one) => one !== undefined && UNIT.test(one));
}

/** Returns the container that an alert names, as cAdvisor and Docker's own exporters do. */
function containerOf(labels: Record<string, string>): string | undefined {
  const { container_name, container, name, id = "", image, job = "", alertname = "" } = labels;
  const ofContainers =
    image !== undefined || /docker|podman|libpod/.test(id) || /cadvisor|docker|podman/i.test(job);
  return (
    container_name || container || (ofContainers || /container|docker/i.test(alertname) ? name : undefined)
  );
}

/**
 * Returns the supervised process that an alert names. A service name may exist in many places: where the alert names
 * another machine, a cluster or a container, only the label `process` means a process of this machine.
 */
function processOf(
  labels: Readonly<Record<string, string>>,
  target_resource: string,
  elsewhere: boolean,
  processes: readonly string[],
): string | undefined {
  const names = elsewhere
    ? [labels.process]
    : [...PROCESS_LABELS.map((label) => labels[label]), target_resource];
  return names.find((name) => name !== undefined && processes.includes(name));
}

/** Whether an alert is about another machine than this one, or about something in a cluster or container. */
function saysElsewhere(
  { labels, namespace, cluster }: ReturnType<typeof subjectOfAlert>,
  { isHere = () => false }: KnownTargets,
) {
  if (namespace !== null || cluster !== null || labels.container) return true;
  return MACHINE_LABELS.some((label) => {
    const host = hostPart(labels[label] ?? "");
    return host !== "" && !LOOPS_BACK.test(host) && !isHere(host);
  });
}

/** Returns the configured host of this name; undefined where there is none. */
export function hostNamed(name: string, hosts: readonly KnownHost[] = []): OperationTarget | undefined {
  const found = hosts.find(({ names }) => names.some((one) => one.toLowerCase() === hostPart(name)));
  return found && { kind: "host", name: found.name };
}

/** Returns the configured host that an alert names, or the unit or container on it. */
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
  // With a namespace, Kubernetes runs the container, not the host's own runtime.
  const container = labels.namespace ? undefined : containerOf(labels);
  return container ? { kind: "container", name: container, host } : { kind: "host", name: host };
}

type NamespacePlace = { namespace?: string; cluster?: string };

/** Returns the workload that a pod belongs to, as far as its name shows; the resolver asks the cluster. */
function ofPod(pod: string, place: NamespacePlace): OperationTarget {
  const { kind, name } = ownerOfPod(pod);
  return kind === "pod" ? { kind, name: pod, ...place } : { kind, name, ...place };
}

/** Returns the Kubernetes object of a subject; undefined where it is none, or its kind is unknown. */
function inKubernetes({ kind, name }: Subject, place: NamespacePlace): OperationTarget | undefined {
  if (kind === null || kind === "host" || kind === "node" || kind === "workload") return undefined;
  if (kind === "pod") return ofPod(name, place);
  if (kind === "replicaset") return { kind: "deployment", name: workloadOfReplicaSet(name), ...place };
  return { kind, name, ...place };
}

/**
 * Returns the exact object that an alert is about, from its labels: a Kubernetes object, a supervised process, a
 * configured host, or a unit or container on one; else what it names, as `unknown`; null when it names nothing.
 * `namespace` and `cluster` are absent where unknown. A Kubernetes label, or one that points to another machine, wins over
 * a process of the same name; a node that a configured cluster may know wins over a host of that name.
 */
export function operationTarget(
  alert: {
    labels: Record<string, string>;
    alert_name: string;
    alert_type?: string;
    target_resource: string;
    generator_url?: string | null;
  },
  services: readonly string[],
  known: KnownTargets,
): OperationTarget | null {
  const subject = subjectOfAlert(alert);
  const { labels, namespace, cluster } = subject;
  const clustered = cluster === null ? {} : { cluster };
  const place = { ...(namespace === null ? {} : { namespace }), ...clustered };
  // A component is free text: what Kubernetes runs it as is more exact.
  const exact = inKubernetes(
    subject.label === "component" ? subjectOf(without(labels, "component"), alert) : subject,
    place,
  );
  if (exact !== undefined) return exact;
  const process = processOf(labels, alert.target_resource, saysElsewhere(subject, known), known.processes);
  if (process !== undefined) return { kind: "process", name: process };
  const node = { kind: "node", name: subject.name, ...clustered };
  if (subject.kind === "node" && known.looksAt?.(node)) return node;
  // The meaning of a label `name` depends on the exporter.
  const { job = "" } = alert.labels;
  const onHost = onKnownHost({ ...labels, job }, alert.target_resource, known.hosts ?? []);
  if (onHost !== undefined) return onHost;
  if (subject.kind === "workload") return { kind: "unknown", name: subject.name, ...place };
  if (subject.kind === "node" || subject.kind === "host")
    return { kind: "host", name: hostPart(subject.name) };
  const [service] = services;
  return service === undefined ? null : { kind: "unknown", name: service, ...place };
}

const without = (labels: Readonly<Record<string, string>>, name: string) =>
  Object.fromEntries(Object.entries(labels).filter(([label]) => label !== name));
