import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  adapterOf,
  carryOut,
  checkOf,
  isReady,
  NEVER,
  operationOf,
  runOf,
  type Stage,
  startStage,
  well,
} from "../../../../../test/support/kubernetes/adapter.ts";
import { deploymentOf } from "../../../../../test/support/kubernetes/objects.ts";
import { longEnough, until } from "../../../../../test/support/until.ts";

let stage: Stage;
let namespace: string;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());
beforeEach(async () => {
  namespace = await stage.cluster.namespace();
});

const onNode = (verb: "cordon" | "uncordon" | "drain", node = "node-1", parameters: object = {}) =>
  operationOf({ kind: `kubernetes.${verb}`, target: { kind: "node", name: node }, parameters });
const drain = (more: object = {}) =>
  onNode("drain", "node-1", { ignore_daemonsets: true, delete_emptydir_data: false, ...more });
const deletePod = (name: string) =>
  operationOf({ kind: "kubernetes.delete_pod", target: { kind: "pod", name, namespace }, parameters: {} });
const restart = (kind = "deployment") =>
  operationOf({
    kind: "kubernetes.rollout_restart",
    target: { kind, name: "api", namespace },
    parameters: {},
  });

const unschedulable = async () =>
  (await stage.core.readNode({ name: "node-1" })).spec?.unschedulable === true;
const pods = async () => (await stage.core.listNamespacedPod({ namespace })).items;

async function deployed(replicas = 4) {
  await stage.apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", "web:1", replicas) });
  await well(stage.adapter, restart());
}
/** A budget that lets no pod go while there are no more than `minAvailable`. */
async function budget(minAvailable: number) {
  const path = `/apis/policy/v1beta1/namespaces/${namespace}/poddisruptionbudgets`;
  const body = {
    metadata: { name: "api" },
    spec: { minAvailable, selector: { matchLabels: { app: "api" } } },
  };
  const { raw } = stage.adapter.clusters.of()!;
  await raw({ method: "POST", path, body });
  await until(async () => {
    const { status } = await raw<{ status?: { observedGeneration?: number; currentHealthy?: number } }>({
      path: `${path}/api`,
    });
    return (status?.currentHealthy ?? 0) >= minAvailable;
  }, "the budget to be known");
}

describe("cordon and uncordon", () => {
  it("are the way back of each other, where something changed", async () => {
    const done = await carryOut(stage.adapter, onNode("cordon"));
    expect(done.dryRun.diff).toContain("spec.unschedulable: none → true");
    expect(await unschedulable()).toBe(true);
    const again = await carryOut(stage.adapter, onNode("cordon"));
    expect(again.dryRun.diff).toBeNull();
    expect(again.undo).toEqual({ ok: false, reason: "it changed nothing" });
    if (!done.undo.ok) throw new Error(done.undo.reason);
    const back = await carryOut(stage.adapter, done.undo.operation);
    expect(await unschedulable()).toBe(false);
    expect(back.undo).toMatchObject({ operation: { kind: "kubernetes.cordon" } });
    expect(await stage.adapter.executor.effect(back.operation, back.run)).toBe("done");
  });
});

describe("drain", () => {
  it("moves what can be moved, leaves daemon sets, and is taken back by uncordon", async () => {
    await deployed();
    const { metadata, spec } = deploymentOf("agent", "web:1");
    await stage.apps.createNamespacedDaemonSet({
      namespace,
      body: { metadata: metadata!, spec: { selector: spec!.selector, template: spec!.template } },
    });
    await until(async () => (await pods()).filter(isReady).length === 6, "the daemon set to run");
    await stage.adapter.executor.dryRun(drain());
    expect((await pods()).filter((pod) => pod.metadata?.deletionTimestamp)).toEqual([]);
    const done = await carryOut(stage.adapter, drain());
    expect(checkOf(done.dryRun, "pods on it")?.message).toMatch(/^\d are moved, 1 stay$/);
    expect(done.dryRun.belongs_to).toContain(`${namespace}/api`);
    const here = (await pods()).filter((pod) => pod.spec?.nodeName === "node-1");
    expect(here.map((pod) => pod.metadata?.labels?.app)).toEqual(["agent"]);
    expect(done.undo).toMatchObject({ leaves: "the evicted pods stay where they are" });
    expect(await stage.adapter.executor.effect(done.operation, done.run)).toBe("done");
    expect(await stage.adapter.executor.act(done.operation, done.run, NEVER)).toMatchObject({ ok: true });
    if (!done.undo.ok) throw new Error(done.undo.reason);
    await carryOut(stage.adapter, done.undo.operation);
  });

  it("does not begin where a pod would be lost: a daemon set's, one of its own, one with an emptyDir", async () => {
    const bare = (name: string, more: object = {}) => ({
      metadata: { name },
      spec: { nodeName: "node-1", containers: [{ name: "main", image: "web:1" }], ...more },
    });
    await stage.core.createNamespacedPod({ namespace, body: bare("alone") });
    const { executor } = stage.adapter;
    const dryRun = await executor.dryRun(drain());
    expect(checkOf(dryRun, "pods on it")).toMatchObject({
      passed: false,
      message: `${namespace}/alone has no controller that would recreate it elsewhere`,
    });
    const result = await executor.act(drain(), runOf(await executor.snapshot(drain())), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false, error: expect.stringContaining("no controller") });
    expect(await unschedulable()).toBe(false);
    await stage.core.deleteNamespacedPod({ namespace, name: "alone" });
    await until(async () => (await pods()).length === 0, "the pod to be gone");
    const body = deploymentOf("api", "web:1", 2);
    body.spec!.template.spec!.volumes = [{ name: "scratch", emptyDir: {} }];
    await stage.apps.createNamespacedDeployment({ namespace, body });
    await until(async () => (await pods()).filter(isReady).length === 2, "the deployment to run");
    expect(checkOf(await executor.dryRun(drain()), "pods on it")?.message).toMatch(/emptyDir/);
    const forced = await carryOut(stage.adapter, drain({ delete_emptydir_data: true }));
    if (!forced.undo.ok) throw new Error(forced.undo.reason);
    await carryOut(stage.adapter, forced.undo.operation);
  });

  it("keeps to disruption budgets: says so before, waits, and reports what is left", async () => {
    await deployed(2);
    await budget(2);
    const { executor, observer } = stage.adapter;
    const dryRun = await executor.dryRun(drain());
    expect(checkOf(dryRun, "disruption budget")).toMatchObject({
      passed: false,
      message: expect.stringMatching(/violate the pod's disruption budget.*needs 2 healthy pods/),
    });
    expect(await unschedulable()).toBe(false);
    expect((await pods()).filter((pod) => pod.metadata?.deletionTimestamp)).toEqual([]);
    const before = await executor.snapshot(drain());
    const run = runOf(before);
    await longEnough(1_000, async (milliseconds) => {
      const hasty = adapterOf({ kubeconfig: stage.cluster.kubeconfig, drain_wait: milliseconds / 1000 });
      const result = await hasty.executor.act(drain(), run, NEVER);
      expect(result).toMatchObject({ ok: false, sent: true });
      // Else the time was over before an eviction was asked for.
      if (!("status" in result)) return false;
      expect(result).toMatchObject({ status: 429 });
      expect(result).toMatchObject({ error: expect.stringMatching(/left on it: .*api-.*disruption budget/) });
      return true;
    });
    expect(await unschedulable()).toBe(true);
    expect(await executor.effect(drain(), run)).toBe("not_done");
    const seen = await observer.observe(drain().target!, new Date(), { operation: drain(), before });
    expect(seen.healthy).toBe(false);
    // More pods elsewhere: the budget lets the ones here go, and the same run goes on.
    await carryOut(
      stage.adapter,
      operationOf({
        kind: "kubernetes.scale",
        target: { kind: "deployment", name: "api", namespace },
        parameters: { replicas: 5 },
      }),
    );
    expect(await stage.adapter.executor.act(drain(), run, NEVER)).toMatchObject({ ok: true });
    await carryOut(stage.adapter, onNode("uncordon"));
  });

  it("ends when it is told to", async () => {
    await deployed(2);
    await budget(2);
    const { executor } = stage.adapter;
    const stop = new AbortController();
    const run = runOf(await executor.snapshot(drain()));
    const acting = executor.act(drain(), run, stop.signal);
    await until(unschedulable, "the node to be cordoned");
    stop.abort();
    expect(await acting).toMatchObject({ ok: false, sent: true });
    await carryOut(stage.adapter, onNode("uncordon"));
  });
});

describe("deleting a pod", () => {
  const first = async () => (await pods())[0]!;

  it("ends exactly that one, and sees another come", async () => {
    await deployed(2);
    const { metadata } = await first();
    const done = await carryOut(stage.adapter, deletePod(metadata!.name!));
    expect(done.dryRun.checks.filter((one) => !one.passed)).toEqual([]);
    expect(done.dryRun.affected_pods).toBe(1);
    expect(done.dryRun.belongs_to).toEqual([`${namespace}/api`]);
    expect((await pods()).map((pod) => pod.metadata?.uid)).not.toContain(metadata?.uid);
    expect(done.seen.facts.map((one) => one.name)).toEqual(["ended", "replacement", "restarts"]);
    expect(await stage.adapter.executor.effect(done.operation, done.run)).toBe("done");
    expect(done.undo.ok).toBe(false);
  });

  it("leaves the next one of a stateful set alone, which has the same name", async () => {
    const { metadata, spec } = deploymentOf("api", "web:1", 1);
    await stage.apps.createNamespacedStatefulSet({
      namespace,
      body: { metadata: metadata!, spec: { ...spec!, serviceName: "api" } },
    });
    await well(stage.adapter, restart("statefulset"));
    const done = await carryOut(stage.adapter, deletePod("api-0"));
    const next = await first();
    expect(next.metadata?.name).toBe("api-0");
    const again = await stage.adapter.executor.act(done.operation, done.run, NEVER);
    expect(again).toMatchObject({
      ok: false,
      sent: false,
      error: expect.stringContaining("was replaced since"),
    });
    expect((await first()).metadata?.uid).toBe(next.metadata?.uid);
  });

  it("warns of a budget, and of a pod that nothing will replace", async () => {
    await deployed(1);
    await budget(1);
    const { executor } = stage.adapter;
    const { metadata } = await first();
    expect(checkOf(await executor.dryRun(deletePod(metadata!.name!)), "disruption budget")?.passed).toBe(
      false,
    );
    await stage.core.createNamespacedPod({
      namespace,
      body: { metadata: { name: "alone" }, spec: { containers: [{ name: "main", image: "web:1" }] } },
    });
    const dryRun = await executor.dryRun(deletePod("alone"));
    expect(checkOf(dryRun, "replacement")?.message).toBe("no controller owns it: nothing will replace it");
  });
});
