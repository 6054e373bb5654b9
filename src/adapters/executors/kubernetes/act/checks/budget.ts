import type { Check } from "../../../../../contract/approval.ts";
import type { Cluster } from "../../cluster/client.ts";
import { type Failure, failureOf } from "../../cluster/failure.ts";
import { type Pod, pathOf } from "../../cluster/objects.ts";

/** Asks for a pod's eviction, which keeps to disruption budgets; with `dryRun` nothing happens. */
export async function evict(
  cluster: Cluster,
  { metadata }: Pod,
  { dryRun = false, signal }: { dryRun?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const { name, namespace, uid } = metadata;
  const version = (await cluster.discovery.version("policy", ["v1", "v1beta1"])) ?? "v1";
  // The group and version are those of the body: pods/eviction itself is in the core group.
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

/** Whether an eviction is refused for a disruption budget's sake. */
export const isBudget = ({ status, message }: Failure) =>
  status === 429 && /disruption budget/i.test(message);

/** Whether a disruption budget speaks against ending a pod now, by trying its eviction. */
export async function tryEviction(cluster: Cluster, pod: Pod): Promise<Check> {
  const name = "disruption budget";
  try {
    await evict(cluster, pod, { dryRun: true });
    return { name, passed: true, message: "none speaks against it" };
  } catch (error) {
    const failure = failureOf(error);
    if (isBudget(failure)) return { name, passed: false, message: failure.message };
    // Deleting takes another permission: what is not known of budgets is no objection.
    const passed = failure.status === 403;
    return { name, passed, message: `it could not be tried: ${failure.message}` };
  }
}
