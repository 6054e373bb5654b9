import type { OperationTarget } from "../contract/incident.ts";
import { workloadNamesOf } from "../incident/index.ts";

type TargetPlace = Pick<OperationTarget, "namespace" | "cluster" | "host">;

/** The names under which the service registry may list a thing, its place, and what it is part of. */
export type RegistryNames = { bare: string[]; qualified: string[]; place: TargetPlace; part_of: string[] };

function named(bare: string[], place: TargetPlace): Pick<RegistryNames, "bare" | "qualified" | "place"> {
  const { namespace, cluster, host } = place;
  const within = namespace === undefined ? "" : `${namespace}/`;
  const places = [
    ...(within === "" ? [] : [within]),
    ...(cluster === undefined ? [] : [`${cluster}/${within}`]),
    ...(host === undefined ? [] : [`${host}/`]),
  ];
  return { bare, qualified: places.flatMap((at) => bare.map((name) => `${at}${name}`)), place };
}

/** Returns a target's names: `ledger` in `prod` on `eu` is also `prod/ledger` and `eu/prod/ledger`; on a host `host/name`. */
export function namesOfTarget(target: OperationTarget): RegistryNames {
  const { namespace, cluster, host } = target;
  const part_of = host === undefined ? [] : [host];
  return { ...named(workloadNamesOf(target), { namespace, cluster, host }), part_of };
}

/** Returns the names of a service as a sender calls it, in the place of the incident's target. */
export function namesOfService(service: string, { namespace, cluster }: TargetPlace = {}): RegistryNames {
  return { ...named([service], { namespace, cluster }), part_of: [] };
}

/** Returns the names of an owner as a system reports it: `prod/ledger`, `eu/prod/ledger`. */
export function namesOfOwner(owner: string): RegistryNames {
  const parts = owner.split("/");
  const name = parts.pop() ?? "";
  const namespace = parts.pop();
  const cluster = parts.length === 0 ? undefined : parts.join("/");
  return { ...named([name], { namespace, cluster }), part_of: [] };
}

/** Returns whether an entry that names a place in more detail than is known of the thing may still mean it. */
export function mayMean(
  [last = "", first, second]: readonly string[],
  { bare, place }: RegistryNames,
  isPlace: (name: string) => boolean,
  alike: (one: string, other: string) => boolean,
): boolean {
  const { namespace, cluster, host } = place;
  if (first === undefined || !bare.some((name) => alike(name, last))) return false;
  const elsewhere = (said: string) => cluster !== undefined && isPlace(cluster) && !alike(cluster, said);
  if (second !== undefined) return (namespace === undefined || alike(namespace, first)) && !elsewhere(second);
  return namespace === undefined && host === undefined && !elsewhere(first);
}
