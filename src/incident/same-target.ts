import type { OperationTarget } from "../contract/incident.ts";
import { ownerOfPod, workloadOfJob, workloadOfPod, workloadOfReplicaSet } from "../intake/index.ts";

/** Of a unit also those of the service that a timer, socket or path starts, and that an instance is of. */
function unitNames(name: string): string[] {
  const base = name.replace(/\.(service|timer|socket|path)$/, "");
  const template = base.replace(/@.*$/, "");
  return [...new Set([name, base, `${base}.service`, template, `${template}.service`])];
}

/** All names of a target's own: a pod, a replica set and a run of a job have that of their workload, too. */
export function workloadNamesOf({ kind, name }: Pick<OperationTarget, "kind" | "name">): string[] {
  if (kind === "pod") return [...new Set([name, ownerOfPod(name).name, workloadOfPod(name)])];
  if (kind === "replicaset") return [...new Set([name, workloadOfReplicaSet(name)])];
  if (kind === "job") return [...new Set([name, workloadOfJob(name)])];
  if (kind === "unit") return unitNames(name);
  return [name];
}

const KINDS = [["process"], ["host", "node"], ["unit", "container", "compose_service"], ["tool"]];
// What Kubernetes runs has many kinds, and one that nobody knows may be any of them.
const familyOf = (kind: string) => KINDS.findIndex((kinds) => kinds.includes(kind));

const agree = (one: string | undefined, other: string | undefined) =>
  one === undefined || other === undefined || one.toLowerCase() === other.toLowerCase();

// Kubernetes cuts what it makes a pod's name from to 58 characters, before five of its own.
const CUT_POD = /^(.{58})[a-z0-9]{5}$/;
// Of a workload's name that is shorter nothing is cut: a replica set adds a dash and ten characters at most.
const LEAST_CUT = 48;

/** Whether a pod may be of this workload, of whose name Kubernetes has cut a part. */
function isCutFrom(pod: OperationTarget, workload: OperationTarget): boolean {
  const [, base] = pod.kind === "pod" ? (CUT_POD.exec(pod.name) ?? []) : [];
  const { name } = workload;
  return base !== undefined && name.length >= LEAST_CUT && (base.startsWith(name) || name.startsWith(base));
}

/**
 * Whether two targets may be one, however they are spelled: a pod and its deployment are, in the same namespace, and
 * what names no namespace or host may be in any. Clusters are not compared: one may have several names. Pure.
 */
export function mayBeSame(one: OperationTarget, other: OperationTarget): boolean {
  if (familyOf(one.kind) !== familyOf(other.kind)) return false;
  if (!agree(one.namespace, other.namespace) || !agree(one.host, other.host)) return false;
  if (isCutFrom(one, other) || isCutFrom(other, one)) return true;
  const names = new Set(workloadNamesOf(one).map((name) => name.toLowerCase()));
  return workloadNamesOf(other).some((name) => names.has(name.toLowerCase()));
}

/** What an act touches: its target, and what the systems say that this belongs to (`prod/api`, `web1/db`). */
export function touchedBy(target: OperationTarget, belongs_to: readonly string[]): OperationTarget[] {
  // What runs on a machine goes with it: it does not belong to that.
  if (["node", "host"].includes(target.kind)) return [target];
  const kind = familyOf(target.kind) === familyOf("container") ? "compose_service" : "unknown";
  const owners = belongs_to.flatMap((owner): OperationTarget[] => {
    const [, place, name] = /^(.*)\/([^/]*)$/.exec(owner) ?? [];
    if (place === undefined || name === undefined) return [];
    return [{ kind, name, ...(kind === "unknown" ? { namespace: place } : { host: place }) }];
  });
  return [target, ...owners];
}

/** Whether two acts may touch one thing. Pure. */
export const touchSame = (some: readonly OperationTarget[], others: readonly OperationTarget[]): boolean =>
  some.some((one) => others.some((other) => mayBeSame(one, other)));
