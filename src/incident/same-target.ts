import type { OperationTarget } from "../contract/incident.ts";
import { ownerOfPod, workloadOfJob, workloadOfPod, workloadOfReplicaSet } from "../intake/index.ts";

/** Returns the names of a unit, including the service that a timer, socket or path starts, and the template of an instance. */
function unitNames(name: string): string[] {
  const base = name.replace(/\.(service|timer|socket|path)$/, "");
  const template = base.replace(/@.*$/, "");
  return [...new Set([name, base, `${base}.service`, template, `${template}.service`])];
}

/** Returns all names of a target: a pod, a replica set and a job's run include that of their workload. */
export function workloadNamesOf({ kind, name }: Pick<OperationTarget, "kind" | "name">): string[] {
  if (kind === "pod") return [...new Set([name, ownerOfPod(name).name, workloadOfPod(name)])];
  if (kind === "replicaset") return [...new Set([name, workloadOfReplicaSet(name)])];
  if (kind === "job") return [...new Set([name, workloadOfJob(name)])];
  if (kind === "unit") return unitNames(name);
  return [name];
}

const KINDS = [["process"], ["host", "node"], ["unit", "container", "compose_service"], ["tool"]];
// Kubernetes objects have many kinds, and an unknown kind may be any of them: all are one family.
const familyOf = (kind: string) => KINDS.findIndex((kinds) => kinds.includes(kind));

const agree = (one: string | undefined, other: string | undefined) =>
  one === undefined || other === undefined || one.toLowerCase() === other.toLowerCase();

// Kubernetes cuts the base of a pod's name to 58 characters, and appends five of its own.
const CUT_POD = /^(.{58})[a-z0-9]{5}$/;
// A shorter workload name is never cut: a replica set adds a dash and ten characters at most.
const LEAST_CUT = 48;

/** Whether a pod may belong to this workload, whose name Kubernetes has cut. */
function isCutFrom(pod: OperationTarget, workload: OperationTarget): boolean {
  const [, base] = pod.kind === "pod" ? (CUT_POD.exec(pod.name) ?? []) : [];
  const { name } = workload;
  return base !== undefined && name.length >= LEAST_CUT && (base.startsWith(name) || name.startsWith(base));
}

/**
 * Whether two targets may be the same object, however spelled: a pod and its deployment in one namespace are, and a target
 * without namespace or host may be in any. Clusters are not compared: one may have several names. Pure.
 */
export function mayBeSame(one: OperationTarget, other: OperationTarget): boolean {
  if (familyOf(one.kind) !== familyOf(other.kind)) return false;
  if (!agree(one.namespace, other.namespace) || !agree(one.host, other.host)) return false;
  if (isCutFrom(one, other) || isCutFrom(other, one)) return true;
  const names = new Set(workloadNamesOf(one).map((name) => name.toLowerCase()));
  return workloadNamesOf(other).some((name) => names.has(name.toLowerCase()));
}

/** Returns what an operation touches: its target, and the owners that it belongs to (`prod/api`, `web1/db`). */
export function touchedBy(target: OperationTarget, belongs_to: readonly string[]): OperationTarget[] {
  // A machine includes what runs on it, and has no owner.
  if (["node", "host"].includes(target.kind)) return [target];
  const kind = familyOf(target.kind) === familyOf("container") ? "compose_service" : "unknown";
  const owners = belongs_to.flatMap((owner): OperationTarget[] => {
    const [, place, name] = /^(.*)\/([^/]*)$/.exec(owner) ?? [];
    if (place === undefined || name === undefined) return [];
    return [{ kind, name, ...(kind === "unknown" ? { namespace: place } : { host: place }) }];
  });
  return [target, ...owners];
}

/** Whether two operations may touch the same object. Pure. */
export const touchSame = (some: readonly OperationTarget[], others: readonly OperationTarget[]): boolean =>
  some.some((one) => others.some((other) => mayBeSame(one, other)));
