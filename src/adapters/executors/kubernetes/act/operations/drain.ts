import type { Check } from "../../../../../contract/approval.ts";
import type { ActResult, DryRun, Run } from "../../../../../execution/index.ts";
import { wait } from "../../../../../lib/wait.ts";
import { namespaceRefusal } from "../../cluster/allowed-cluster.ts";
import type { Cluster } from "../../cluster/client.ts";
import { type Failure, failureOf, plain } from "../../cluster/failure.ts";
import { type Node, type Pod, read } from "../../cluster/objects.ts";
import { ownersOfPods } from "../../cluster/owners.ts";
import type { Permission } from "../../cluster/permission.ts";
import { actOn, dryRunOf, effectOn, failed } from "../change.ts";
import { evict, isBudget, tryEviction } from "../checks/budget.ts";
import { type DrainTerms, sortPods } from "../drain-pods.ts";
import type { KubernetesOperation } from "../kubernetes-operation.ts";
import { resolveObject } from "../resolve.ts";
import { podBefore, podsOn, type Snapshot, stateOfNode } from "../snapshot.ts";
import { toSchedulable } from "../undo.ts";
import { schedulable } from "./cordon.ts";

type Drain = { node: string; terms: DrainTerms; bounds(namespace: string): string | undefined };

const PERMISSIONS: readonly Permission[] = [
  { verb: "list", group: "", resource: "pods" },
  { verb: "create", group: "", resource: "pods/eviction" },
];
// As in kubectl: a refused eviction is retried after this time, unless the server sets another.
const BUDGET_WAIT_SECONDS = 5;
const LOOK_MS = 500;
const AT_ONCE = 5;
const SHOWN = 10;

const nameOf = ({ metadata }: Pod) => `${metadata.namespace}/${metadata.name}`;
const some = (names: readonly string[]) =>
  names.length <= SHOWN
    ? names.join(", ")
    : `${names.slice(0, SHOWN).join(", ")} and ${names.length - SHOWN} more`;

/** Lists and sorts the pods of the node. Pods to evict in namespaces that are out of bounds are obstacles. */
async function look(cluster: Cluster, { node, terms, bounds }: Drain, signal?: AbortSignal) {
  const sorted = sortPods(await podsOn(cluster, node, signal), terms);
  const outside = sorted.evict.flatMap((pod) => {
    const reason = bounds(pod.metadata.namespace ?? "");
    return reason === undefined ? [] : [`${nameOf(pod)}: ${reason}`];
  });
  return { ...sorted, obstacles: [...sorted.obstacles, ...outside] };
}

async function snapshotOfDrain(cluster: Cluster, { node }: Drain): Promise<Snapshot> {
  const [own, pods] = await Promise.all([
    read<Node>(cluster, { kind: "node", name: node }),
    podsOn(cluster, node),
  ]);
  return { ...stateOfNode(own), pods: pods.map(podBefore) };
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

type Refusal = { pod: Pod; failure: Failure };

/** Requests the eviction of each pod once, and returns the refusals. */
async function evictAll(cluster: Cluster, pods: readonly Pod[], signal: AbortSignal): Promise<Refusal[]> {
  const refusals: Refusal[] = [];
  await inTurns(pods, async (pod) => {
    if (signal.aborted) return;
    try {
      await evict(cluster, pod, { signal });
    } catch (error) {
      const failure = failureOf(error);
      // 404: gone; 409: a new pod has its name. Requests that the signal aborted are not refusals.
      const isAway = failure.status === 404 || failure.status === 409;
      if (!isAway && !signal.aborted) refusals.push({ pod, failure });
    }
  });
  return refusals;
}

type Emptied = { left: Pod[]; refusals: Refusal[] };

/** Evicts pods until all are gone, one is refused for good (neither 429 nor 503), or the time is up. */
async function empty(cluster: Cluster, drain: Drain, signal: AbortSignal): Promise<Emptied> {
  const askAgainAt = new Map<string, number>();
  const refused = new Map<string, Refusal>();
  for (;;) {
    // Not aborted by the signal: the report must name the pods that are left.
    const { evict: left } = await look(cluster, drain);
    const refusals = left.flatMap(({ metadata }) => refused.get(metadata.uid) ?? []);
    const final = refusals.some(({ failure }) => failure.status !== 429 && failure.status !== 503);
    if (left.length === 0 || final || signal.aborted) return { left, refusals };
    const now = performance.now();
    const due = left.filter(
      ({ metadata: { deletionTimestamp, uid } }) =>
        deletionTimestamp === undefined && (askAgainAt.get(uid) ?? 0) <= now,
    );
    for (const refusal of await evictAll(cluster, due, signal)) {
      const { pod, failure } = refusal;
      refused.set(pod.metadata.uid, refusal);
      askAgainAt.set(pod.metadata.uid, now + (failure.retryAfter ?? BUDGET_WAIT_SECONDS) * 1000);
    }
    await wait(LOOK_MS, signal);
  }
}

function reportLeft(node: string, { left, refusals }: Emptied): ActResult {
  const why = refusals.map(({ pod, failure }) => `${nameOf(pod)}: ${failure.message}`);
  const first = refusals.find(({ failure }) => !isBudget(failure)) ?? refusals[0];
  const { status } = first?.failure ?? {};
  const error = `node ${node} is cordoned, but these pods are left on it: ${some(left.map(nameOf))}`;
  return {
    ok: false,
    error: why.length === 0 ? error : `${error} (${some(why)})`,
    sent: true,
    ...(status === undefined ? {} : { status }),
  };
}

/** Cordons the node and evicts its pods as disruption budgets allow, for `seconds` at most. */
async function drainNode(
  cluster: Cluster,
  drain: Drain,
  run: Run,
  { signal, seconds }: { signal: AbortSignal; seconds: number },
): Promise<ActResult> {
  const { node } = drain;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
  try {
    const { obstacles } = await look(cluster, drain, signal);
    if (obstacles.length > 0)
      return { ok: false, error: `Nothing was changed: ${some(obstacles)}`, sent: false };
  } catch (error) {
    return failed({ ...failureOf(error), sent: false }, `the pods of ${node} could not be listed`);
  }
  const before = run.before as Partial<Snapshot>;
  const cordoned = await actOn(cluster, schedulable(node, true), run, signal);
  if (!cordoned.ok) return cordoned;
  try {
    const emptied = await empty(cluster, drain, bounded);
    if (emptied.left.length > 0) return reportLeft(node, emptied);
    const moved = before.pods?.length ?? 0;
    return {
      ok: true,
      output: `node ${node} is cordoned and empty (${moved} pods were on it before)`,
    };
  } catch (error) {
    return failed({ ...failureOf(error), sent: true }, `node ${node} is cordoned, but`);
  }
}

/** Returns checks of the pods to evict, of obstacles and of disruption budgets (of the first 100 pods). */
async function drainChecks(
  cluster: Cluster,
  drain: Drain,
): Promise<{ checks: Check[]; diff: string; going: Pod[] }> {
  const { evict: going, leave, obstacles } = await look(cluster, drain);
  const pods = "pods on it";
  const sorted: Check =
    obstacles.length === 0
      ? { name: pods, passed: true, message: `${going.length} are moved, ${leave.length} stay` }
      : { name: pods, passed: false, message: some(obstacles) };
  const tried: { pod: Pod; check: Check }[] = [];
  await inTurns(going.slice(0, 100), async (pod) => {
    tried.push({ pod, check: await tryEviction(cluster, pod) });
  });
  const blocked = tried.filter(({ check }) => !check.passed);
  const said = blocked.map(({ pod, check }) => `${nameOf(pod)}: ${check.message}`);
  const budget: Check = {
    name: "disruption budget",
    passed: blocked.length === 0,
    message: blocked.length === 0 ? "none forbids it now" : some(said),
  };
  const diff = going.map((pod) => `pod ${plain(nameOf(pod), 300)}: here → moved away`);
  return { checks: [sorted, budget], diff: diff.join("\n"), going };
}

async function dryRunDrain(cluster: Cluster, drain: Drain): Promise<DryRun> {
  const change = { ...schedulable(drain.node, true), permissions: PERMISSIONS };
  const own = await dryRunOf(cluster, change);
  try {
    const { checks, diff, going } = await drainChecks(cluster, drain);
    const all = [own.diff, diff].filter(Boolean).join("\n");
    return {
      checks: [...own.checks, ...checks],
      diff: all === "" ? null : all,
      affected_pods: going.length,
      belongs_to: ownersOfPods(going),
    };
  } catch (error) {
    const failure = { name: "pods on it", passed: false, message: failureOf(error).message };
    return { ...own, checks: [...own.checks, failure] };
  }
}

/** Returns "done" only when the node is empty: repeating an interrupted drain is harmless. */
async function effectOfDrain(cluster: Cluster, drain: Drain, run: Run) {
  const cordoned = await effectOn(cluster, schedulable(drain.node, true), run);
  try {
    const { evict: left } = await look(cluster, drain);
    if (left.length === 0) return cordoned;
    return cordoned === "done" ? "not_done" : cordoned;
  } catch {
    return "cannot_tell";
  }
}

export const drain: KubernetesOperation<"kubernetes.drain"> = {
  kind: "kubernetes.drain",
  handler(cluster, { target, parameters }, config) {
    const bounds = (namespace: string) => namespaceRefusal(config, namespace, false);
    const one: Drain = { node: target.name, terms: parameters, bounds };
    return {
      resolve: () => resolveObject(cluster, target),
      dryRun: () => dryRunDrain(cluster, one),
      snapshot: () => snapshotOfDrain(cluster, one),
      act: (run, signal) => drainNode(cluster, one, run, { signal, seconds: config.drain_wait }),
      effect: (run) => effectOfDrain(cluster, one, run),
    };
  },
  undo: toSchedulable,
};
