import type { Check } from "../../../../../contract/approval.ts";
import type { Cluster } from "../../cluster/client.ts";
import { type Failure, failureOf } from "../../cluster/failure.ts";
import { type Pod, pathOf } from "../../cluster/objects.ts";

/** Evicts a pod, which respects disruption budgets. With `dryRun` it changes nothing. */
export async function evict(
  cluster: Cluster,
  { metadata }: Pod,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const { name, namespace, uid } = metadata;
  const version = (await cluster.discovery.version("policy", ["v1", "v1beta1"])) ?? "v1";
  // The policy version applies to the body only: pods/eviction itself is in the core group.
  await cluster.raw({
    method: "POST",
    path: `${pathOf({ kind: "pod", name, namespace })}/eviction`,
    query: dryRun ? { dryRun: "All" } : {},
    body: {
      apiVersion: `policy/${version}`,
      kind: "Eviction",
      metadata: { name, namespace },
      deleteOptions: { preconditions: { uid }, ...(dryRun ? { dryRun: ["All"] } : {}) },
    },
    signal,
  });
}

/** Tells whether an eviction was refused because of a disruption budget. */
export const isBudget = ({ status, message }: Failure) =>
  status === 429 && /disruption budget/i.test(message);

/** Checks whether a disruption budget forbids evicting a pod now, by a dry-run of its eviction. */
export async function tryEviction(cluster: Cluster, pod: Pod): Promise<Check> {
  const name = "disruption budget";
  try {
    await evict(cluster, pod, { dryRun: true });
    return { name, passed: true, message: "none forbids it" };
  } catch (error) {
    const failure = failureOf(error);
    if (isBudget(failure)) return { name, passed: false, message: failure.message };
    // Deleting needs another permission than evicting, so that a 403 here is no objection.
    const passed = failure.status === 403;
    return { name, passed, message: `it could not be tested: ${failure.message}` };
  }
}
