import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  adapterOf,
  checkOf,
  NEVER,
  operationOf,
  runOf,
  type Stage,
  startStage,
  well,
} from "../../../../../test/support/kubernetes/adapter.ts";
import { behaviourByImage } from "../../../../../test/support/kubernetes/behaviour.ts";
import { deploymentOf } from "../../../../../test/support/kubernetes/objects.ts";
import { eventually, until } from "../../../../../test/support/until.ts";

let stage: Stage;
let namespace: string;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());
beforeEach(async () => {
  stage.kubelet.behave(behaviourByImage);
  namespace = await stage.cluster.namespace();
});

const restart = (name = "api", target: object = {}) =>
  operationOf({
    kind: "kubernetes.rollout_restart",
    target: { kind: "deployment", name, namespace, ...target },
    parameters: {},
  });
const deletePod = (name: string) =>
  operationOf({ kind: "kubernetes.delete_pod", target: { kind: "pod", name, namespace }, parameters: {} });
const create = (name: string, image = "web:1", replicas = 1) =>
  stage.apps.createNamespacedDeployment({ namespace, body: deploymentOf(name, image, replicas) });
const read = (kind: "get" | "describe" | "logs" | "top", target: object | null, parameters: object = {}) =>
  operationOf({ kind: `kubernetes.${kind}`, target, parameters });
/** What a read comes to. */
async function textOf(operation: ReturnType<typeof read>, adapter = stage.adapter) {
  const result = await adapter.executor.act(operation, runOf({}), NEVER);
  if (!result.ok) throw new Error(result.error);
  return result.output;
}
const pods = async () => (await stage.core.listNamespacedPod({ namespace })).items;

describe("finding the target", () => {
  const { resolve } = {
    resolve: (operation: ReturnType<typeof restart>) => stage.adapter.executor.resolve(operation),
  };

  it("takes the exact name, suggests close ones, and says that there is none", async () => {
    await create("checkout-api");
    expect(await resolve(restart("checkout-api"))).toEqual({ result: "hit" });
    expect(await resolve(restart("chekout-api"))).toEqual({ result: "suggestion", names: ["checkout-api"] });
    expect(await resolve(restart("billing"))).toEqual({
      result: "miss",
      message: `there is no deployment billing in namespace ${namespace} on test`,
    });
  });

  it("names the deployment of a pod that is gone, and what was called a deployment and is none", async () => {
    await create("checkout-api");
    expect(await resolve(deletePod("checkout-api-7d9f8b6c5-x2x4z"))).toEqual({
      result: "suggestion",
      names: ["deployment/checkout-api"],
    });
    expect(await resolve(restart("checkout-api-7d9f8b6c5-x2x4z"))).toEqual({
      result: "suggestion",
      names: ["checkout-api"],
    });
    expect(await resolve(restart("checkout-api", { kind: "statefulset" }))).toEqual({
      result: "suggestion",
      names: ["deployment/checkout-api"],
    });
  });

  it("never acts on another cluster than the one that was named", async () => {
    await create("api");
    const { executor, observer } = adapterOf({
      clusters: [{ name: "prod", kubeconfig: stage.cluster.kubeconfig, aliases: ["prod-eu"] }],
    });
    for (const cluster of ["prod", "prod-eu", undefined])
      expect(await executor.resolve(restart("api", cluster === undefined ? {} : { cluster }))).toEqual({
        result: "hit",
      });
    const other = restart("api", { cluster: "staging" });
    const message = 'no cluster "staging" is configured; there are: prod';
    expect(await executor.resolve(other)).toEqual({ result: "miss", message });
    expect(await executor.act(other, runOf({}), NEVER)).toMatchObject({ ok: false, sent: false });
    expect(observer.observes(other.target!)).toBe(false);
  });

  it("takes none of several clusters for the one that was meant", async () => {
    await create("api");
    const { kubeconfig } = stage.cluster;
    const { executor } = adapterOf({
      clusters: [
        { name: "eu", kubeconfig },
        { name: "us", kubeconfig },
      ],
    });
    const message = "no cluster is named, and there are several: eu, us";
    expect(await executor.resolve(restart("api"))).toEqual({ result: "miss", message });
    expect(await executor.act(restart("api"), runOf({}), NEVER)).toMatchObject({ ok: false, sent: false });
    expect(await executor.resolve(restart("api", { cluster: "us" }))).toEqual({ result: "hit" });
  });

  it("leaves namespaces alone that are protected or out of bounds", async () => {
    const inSystem = restart("coredns", { namespace: "kube-system" });
    expect(await resolve(inSystem)).toMatchObject({
      result: "miss",
      message: expect.stringContaining("protected"),
    });
    expect(await stage.adapter.executor.act(inSystem, runOf({}), NEVER)).toMatchObject({ sent: false });
    const { executor } = adapterOf({ kubeconfig: stage.cluster.kubeconfig, allowed_namespaces: ["shop"] });
    expect(await executor.resolve(restart())).toMatchObject({
      message: expect.stringContaining("is not allowed"),
    });
    const everything = read("get", null, { resource: "pods", all_namespaces: true });
    expect(await executor.act(everything, runOf({}), NEVER)).toMatchObject({ ok: false });
  });
});

describe("an observation", () => {
  it("is not fooled by a container that crashes again and again, and is up in between", async () => {
    await create("api", "crash:1");
    const eager = stage.adapter.observer;
    const careful = adapterOf({ kubeconfig: stage.cluster.kubeconfig, settle: "1h" }).observer;
    const target = restart().target!;
    await until(
      async () => ((await pods())[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
      "the container to crash",
    );
    const restarted = await eager.observe(target, new Date());
    expect(restarted.facts.map((one) => one.name)).toContain("restarts");
    stage.kubelet.behave(() => "runs");
    await well(stage.adapter, restart());
    const seen = await careful.observe(target, new Date());
    expect(seen.healthy).toBe(false);
    expect(seen.facts.find((one) => !one.passed)).toMatchObject({
      name: "restarts",
      message: expect.stringMatching(/main has been up for only \d+ s/),
    });
    const later = new Date(Date.now() + 3_600_000);
    expect((await careful.observe(target, later)).healthy).toBe(true);
  });

  it("counts restarts since the snapshot", async () => {
    await create("api");
    await well(stage.adapter, restart());
    const operation = operationOf({
      kind: "kubernetes.scale_out",
      target: restart().target,
      parameters: { at_least: 1 },
    });
    const before = await stage.adapter.executor.snapshot(operation);
    expect(before).toMatchObject({ pods: [{ restarts: { main: 0 } }] });
    stage.kubelet.behave(() => "crashes");
    await until(
      async () => ((await pods())[0]?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0,
      "a restart",
    );
    stage.kubelet.behave(() => "runs");
    await well(stage.adapter, operation);
    const seen = await stage.adapter.observer.observe(operation.target!, new Date(), { operation, before });
    expect(seen.facts.find((one) => one.name === "restarts")?.message).toMatch(/restarted \d+ more times/);
  });

  it("says why pods wait, in the cluster's words and on one line", async () => {
    stage.kubelet.behave(() => ({
      kind: "unschedulable",
      message: "0/2 nodes are available:\n\u001b[1m2 full",
    }));
    await create("api");
    const seen = await until(async () => {
      const now = await stage.adapter.observer.observe(restart().target!, new Date());
      return now.facts.some((one) => one.name === "waiting") && now;
    }, "the pod to wait");
    expect(seen.facts.find((one) => one.name === "waiting")?.message).toMatch(
      /^api-\S+: Unschedulable: .*0\/2 nodes are available: \[1m2 full$/,
    );
  });

  it("of a pod and a node tells whether they are well, and that they are gone", async () => {
    await create("api");
    await well(stage.adapter, restart());
    const { observe } = stage.adapter.observer;
    const pod = { kind: "pod", name: (await pods())[0]!.metadata!.name!, namespace };
    expect((await observe(pod, new Date())).healthy).toBe(true);
    expect((await observe({ ...pod, name: "nobody" }, new Date())).healthy).toBe(false);
    const node = { kind: "node", name: "node-2" };
    expect((await observe(node, new Date())).healthy).toBe(true);
    await stage.kubelet.condition("node-2", "DiskPressure", true);
    const pressed = await observe(node, new Date());
    expect(pressed.facts.find((one) => !one.passed)).toMatchObject({ name: "pressure" });
    await stage.kubelet.condition("node-2", "DiskPressure", false);
  });
});

describe("reads", () => {
  const target = (more: object = {}) => ({ kind: "deployment", name: "api", namespace, ...more });

  it("get what kubectl would show", async () => {
    await create("api");
    await well(stage.adapter, restart());
    expect(await textOf(read("get", target()))).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\napi +1\/1 /,
    );
    expect(await textOf(read("get", null, { resource: "po", namespace, selector: "app=api" }))).toMatch(
      /Running/,
    );
    expect(await textOf(read("get", null, { resource: "nodes" }))).toMatch(/node-1/);
    expect(await stage.adapter.executor.resolve(read("get", target({ name: "apy" })))).toEqual({
      result: "suggestion",
      names: ["api"],
    });
  });

  it("describe without values that may be secret", async () => {
    const body = deploymentOf("api", "web:1");
    body.spec!.template.spec!.containers[0]!.env = [{ name: "URL", value: "postgres://u:hunter2hunter2@db" }];
    await stage.apps.createNamespacedDeployment({ namespace, body });
    const text = await textOf(read("describe", target()));
    expect(text).toContain('value: "[not shown]"');
    expect(text).not.toContain("hunter2");
    await stage.core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: "settings" }, data: { key: "s3cr3t-value" } },
    });
    const settings = await textOf(read("describe", target({ kind: "configmap", name: "settings" })));
    expect(settings).toContain("[12 characters, not shown]");
    expect(settings).not.toContain("s3cr3t");
  });

  it("refuse secrets, also of a kind that hides behind another name", async () => {
    expect(() => read("get", null, { resource: "secrets", namespace })).toThrow();
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    await stage.adapter.clusters.of()!.raw({
      method: "POST",
      path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      body: {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: "vaults.shop.example" },
        spec: {
          group: "shop.example",
          scope: "Namespaced",
          names: { plural: "vaults", singular: "vault", kind: "VaultSecret" },
          versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
        },
      },
    });
    const vaults = read("get", null, { resource: "vaults", namespace });
    // Until the kind is known.
    await eventually(async () => {
      const adapter = adapterOf({ kubeconfig: stage.cluster.kubeconfig });
      expect(await adapter.executor.act(vaults, runOf({}), NEVER)).toEqual({
        ok: false,
        sent: false,
        error: "vaults contains secrets and is not read",
      });
    });
  });

  it("logs: the end of them, redacted, of all pods of a workload", async () => {
    stage.kubelet.answerLogs(
      (pod) =>
        `start ${pod.metadata?.name}\n${"x".repeat(20_000)}\npassword=hunter2hunter2\n\u001b[31mfailed\n`,
    );
    await create("api", "web:1", 2);
    await well(stage.adapter, restart());
    const text = await textOf(read("logs", target()));
    expect(text.match(/^== api-.*\/main$/gm)).toHaveLength(2);
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("\u001b");
    expect(text.length).toBeLessThan(8_000);
    expect(text).toMatch(/failed$/m);
  });

  it("top says that nothing measures", async () => {
    const result = await stage.adapter.executor.act(
      read("top", null, { resource: "pods", namespace }),
      runOf({}),
      NEVER,
    );
    expect(result).toEqual({
      ok: false,
      sent: false,
      error: "test has no metrics API: install a metrics server",
    });
  });

  it("ask for the permission to read before", async () => {
    const none = await stage.cluster.serviceAccount("none", [], namespace);
    const dryRun = await adapterOf({ kubeconfig: none }).executor.dryRun(read("logs", target()));
    expect(checkOf(dryRun, "permission")).toMatchObject({
      passed: false,
      message: `the account may not get pods/log in ${namespace}`,
    });
  });
});
