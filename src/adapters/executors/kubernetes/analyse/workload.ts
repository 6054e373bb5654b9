import type { V1Pod } from "@kubernetes/client-node";
import type { Facts, Revision, Workload } from "./facts.ts";
import { isReady } from "./pods.ts";

const HASHES = ["pod-template-hash", "controller-revision-hash"];

/** Returns the pods of one revision that are not being deleted. */
export function podsOf({ pods }: Facts, { hash }: Revision): V1Pod[] {
  return pods.filter(
    ({ metadata }) =>
      metadata?.deletionTimestamp === undefined && HASHES.some((label) => metadata?.labels?.[label] === hash),
  );
}

export const readyOf = (facts: Facts, revision: Revision): number =>
  podsOf(facts, revision).filter(isReady).length;

/** The numbers of replicas that are desired, that are ready, and that are of the newest revision. */
export type Count = { desired: number; ready: number; updated: number };

export function countOf(workload: Workload): Count {
  if (workload.kind === "daemonset") {
    const {
      desiredNumberScheduled = 0,
      numberReady = 0,
      updatedNumberScheduled = 0,
    } = workload.object.status ?? {};
    return { desired: desiredNumberScheduled, ready: numberReady, updated: updatedNumberScheduled };
  }
  const { spec, status } = workload.object;
  const ready = status?.readyReplicas ?? 0;
  return { desired: spec?.replicas ?? 1, ready, updated: status?.updatedReplicas ?? 0 };
}

/** Tells whether the controller has seen the newest spec; until then the status describes an older one. */
export function observed({ object }: Workload): boolean {
  return (object.status?.observedGeneration ?? 0) >= (object.metadata?.generation ?? 0);
}

/** Tells whether a workload has too few ready or updated replicas; undefined if the target is no workload. */
export function shortOfReplicas({ workload }: Facts): boolean | undefined {
  if (workload === null) return undefined;
  const { desired, ready, updated } = countOf(workload);
  return ready < desired || updated < desired;
}
