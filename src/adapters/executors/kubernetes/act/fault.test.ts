import { writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { RbacAuthorizationV1Api } from "@kubernetes/client-node";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  adapterOf,
  carryOut,
  checkOf,
  NEVER,
  operationOf,
  runOf,
  type Stage,
  startStage,
  well,
} from "../../../../../test/support/kubernetes/adapter.ts";
import { deploymentOf } from "../../../../../test/support/kubernetes/objects.ts";
import {
  type Fault,
  type FaultyProxy,
  startFaultyProxy,
} from "../../../../../test/support/kubernetes/proxy.ts";
import { eventually, until } from "../../../../../test/support/until.ts";
import { EXECUTION } from "./annotations.ts";

let stage: Stage;
let proxy: FaultyProxy;
let namespace: string;
beforeAll(async () => {
  stage = await startStage({ own: true });
  proxy = await startFaultyProxy(stage.cluster);
});
afterAll(async () => {
  await proxy?.stop();
  await stage?.stop();
});
beforeEach(async () => {
  namespace = await stage.cluster.namespace();
});
afterEach(() => {
  proxy.judge = () => "pass";
});

const on = (kind: `kubernetes.${string}`, parameters: object = {}, target: object = {}) =>
  operationOf({ kind, target: { kind: "deployment", name: "api", namespace, ...target }, parameters });
const restart = () => on("kubernetes.rollout_restart");

async function deployed(replicas = 2) {
  await stage.apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", "web:1", replicas) });
  await well(stage.adapter, restart());
}
const deployment = () => stage.apps.readNamespacedDeployment({ namespace, name: "api" });

/** Does something to the deployment as somebody else would. */
const meddle = (body: object) =>
  stage.adapter.clusters.of()!.raw({
    method: "PATCH",
    path: `/apis/apps/v1/namespaces/${namespace}/deployments/api`,
    type: "application/merge-patch+json",
    body,
  });

/** What the proxy does to the first `times` patches. */
function onPatch(fault: () => Fault | Promise<Fault>, times = 1) {
  let left = times;
  proxy.judge = (method, path) => {
    if (method !== "PATCH" || path.includes("dryRun") || left === 0) return "pass";
    left -= 1;
    return fault();
  };
}
const through = (more: object = {}) => adapterOf({ kubeconfig: proxy.kubeconfig, ...more });

describe("between what people signed and the act", () => {
  it("the target is deleted: nothing is sent", async () => {
    await deployed();
    const { executor } = stage.adapter;
    const before = await executor.snapshot(restart());
    await stage.apps.deleteNamespacedDeployment({ namespace, name: "api" });
    const result = await executor.act(restart(), runOf(before), NEVER);
    expect(result).toMatchObject({
      ok: false,
      sent: false,
      status: 404,
      error: expect.stringContaining("not found"),
    });
    await stage.apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", "web:1") });
    const other = await executor.act(restart(), runOf(before), NEVER);
    expect(other).toMatchObject({
      ok: false,
      sent: false,
      error: expect.stringContaining("deleted and recreated since"),
    });
    expect((await deployment()).metadata?.annotations?.[EXECUTION]).toBeUndefined();
  });

  it("somebody else changes what is to be changed: it is left as they want it", async () => {
    await deployed();
    const { executor } = stage.adapter;
    const scale = on("kubernetes.scale", { replicas: 1 });
    const before = await executor.snapshot(scale);
    await meddle({ spec: { replicas: 3 } });
    expect(await executor.act(scale, runOf(before), NEVER)).toEqual({
      ok: false,
      sent: false,
      error: "Nothing was changed: replicas of deployment api has changed from 2 to 3 since the snapshot",
    });
    expect((await deployment()).spec?.replicas).toBe(3);
    // What is not in question may change: more pods do not speak against a restart.
    expect(await executor.act(restart(), runOf(before), NEVER)).toMatchObject({ ok: true });
  });

  it("without a snapshot nothing is changed", async () => {
    await deployed();
    const result = await stage.adapter.executor.act(restart(), runOf({ unavailable: "it was late" }), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false });
  });
});

describe("a concurrent writer", () => {
  it("of something else is no obstacle: the change is planned anew and made once", async () => {
    await deployed();
    const { executor } = through();
    const before = await executor.snapshot(restart());
    onPatch(async () => {
      await meddle({ metadata: { labels: { seen: "yes" } } });
      return "pass" as const;
    });
    expect(await executor.act(restart(), runOf(before), NEVER)).toMatchObject({ ok: true });
    const { metadata } = await deployment();
    expect(metadata).toMatchObject({ labels: { seen: "yes" }, generation: 2 });
  });

  it("of the same stops it with a conflict that was seen, not overwritten", async () => {
    await deployed();
    const { executor } = through();
    const scale = on("kubernetes.scale", { replicas: 1 });
    const before = await executor.snapshot(scale);
    onPatch(async () => {
      await meddle({ spec: { replicas: 4 } });
      return "pass" as const;
    });
    const result = await executor.act(scale, runOf(before), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false, error: expect.stringContaining("from 2 to 4") });
    expect((await deployment()).spec?.replicas).toBe(4);
  });

  it("that never rests is given up on", async () => {
    await deployed();
    const { executor } = through();
    const before = await executor.snapshot(restart());
    let count = 0;
    onPatch(async () => {
      count += 1;
      await meddle({ metadata: { labels: { seen: `${count}` } } });
      return "pass" as const;
    }, 100);
    const result = await executor.act(restart(), runOf(before), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false, status: 409 });
    expect(count).toBe(5);
  });
});

describe("an outcome that is not known", () => {
  it.each([
    ["cut after", "done", 2],
    ["cut before", "not_done", 1],
  ] as const)(
    "is found out: the connection was %s the change was passed on",
    async (fault, effect, generation) => {
      await deployed();
      const { executor } = through();
      const run = runOf(await executor.snapshot(restart()));
      onPatch(() => fault);
      const result = await executor.act(restart(), run, NEVER);
      expect(result).toMatchObject({ ok: false, sent: true });
      expect((await deployment()).metadata?.generation).toBe(generation);
      expect(await executor.effect(restart(), run)).toBe(effect);
      // The caller does it again, for it is idempotent: it comes to one rollout.
      expect(await executor.act(restart(), run, NEVER)).toMatchObject({ ok: true });
      expect((await deployment()).metadata?.generation).toBe(2);
    },
  );

  it("cannot be told while the cluster cannot be asked", async () => {
    await deployed();
    const { executor } = through();
    const run = runOf(await executor.snapshot(restart()));
    proxy.judge = () => "cut before";
    expect(await executor.effect(restart(), run)).toBe("cannot_tell");
  });
});

describe("an API server that is too busy", () => {
  it("is asked again after the time that it names", async () => {
    await deployed();
    const { executor } = through();
    const run = runOf(await executor.snapshot(restart()));
    onPatch(() => ({ status: 429, headers: { "retry-after": "1" } }));
    expect(await executor.act(restart(), run, NEVER)).toMatchObject({ ok: true });
  });

  it.each([
    [429, false],
    [503, true],
    [500, true],
  ])("without a time: %i goes back to the caller, sent: %s", async (status, sent) => {
    await deployed();
    const { executor } = through();
    const run = runOf(await executor.snapshot(restart()));
    onPatch(() => ({ status }));
    expect(await executor.act(restart(), run, NEVER)).toMatchObject({ ok: false, status, sent });
  });

  it("is not waited for longer than the caller does", async () => {
    await deployed();
    const { executor } = through();
    const run = runOf(await executor.snapshot(restart()));
    const stop = new AbortController();
    onPatch(() => ({ status: 429, headers: { "retry-after": "600" } }));
    // A request has a signal of its own: who listens to this one has its answer, and waits.
    const listen = vi.spyOn(stop.signal, "addEventListener");
    listen.mockImplementation((...args: Parameters<typeof stop.signal.addEventListener>) => {
      EventTarget.prototype.addEventListener.apply(stop.signal, args);
      queueMicrotask(() => stop.abort());
    });
    expect(await executor.act(restart(), run, stop.signal)).toMatchObject({
      ok: false,
      sent: false,
      status: 429,
    });
  });
});

describe("what the account may not do", () => {
  const rights = [
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "patch"] },
    { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["list"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
  ];

  it("is named before anybody approves: which verb on what", async () => {
    await deployed();
    const reader = await stage.cluster.serviceAccount(
      "reader",
      [{ ...rights[0]!, verbs: ["get"] }],
      namespace,
    );
    const { executor } = adapterOf({ kubeconfig: reader });
    const dryRun = await executor.dryRun(restart());
    expect(checkOf(dryRun, "permission")).toEqual({
      name: "permission",
      passed: false,
      message: `the account may not patch deployments.apps in ${namespace}, list replicasets.apps in ${namespace}, list pods in ${namespace}`,
    });
    expect(checkOf(dryRun, "server-side dry-run")).toMatchObject({
      passed: false,
      message: expect.stringContaining("cannot patch resource"),
    });
    const result = await executor.act(restart(), runOf(await executor.snapshot(restart())), NEVER);
    expect(result).toMatchObject({
      ok: false,
      sent: false,
      status: 403,
      error: expect.stringContaining("forbidden"),
    });
  });

  it("and where the revisions may not be read, nothing is sent", async () => {
    await deployed();
    const writer = await stage.cluster.serviceAccount("writer", [rights[0]!], namespace);
    const { executor } = adapterOf({ kubeconfig: writer });
    const undo = on("kubernetes.rollout_undo", { to_revision: 1 });
    const dryRun = await executor.dryRun(undo);
    expect(checkOf(dryRun, "permission")?.message).toMatch(/may not list replicasets/);
    const before = await executor.snapshot(undo);
    expect(before).toMatchObject({ revision: null, pods: null });
    expect(await executor.act(undo, runOf(before), NEVER)).toMatchObject({
      ok: false,
      sent: false,
      status: 403,
    });
    expect(executor.undo(undo, before)).toMatchObject({ ok: false });
  });

  it("also where it was taken away since", async () => {
    await deployed();
    const worker = await stage.cluster.serviceAccount("worker", rights, namespace);
    const { executor } = adapterOf({ kubeconfig: worker });
    await carryOut(adapterOf({ kubeconfig: worker }), restart());
    const run = runOf(await executor.snapshot(restart()));
    const rbac = stage.cluster.admin.makeApiClient(RbacAuthorizationV1Api);
    await rbac.deleteNamespacedRoleBinding({ namespace, name: "worker" });
    await until(
      async () => !checkOf(await executor.dryRun(restart()), "permission")?.passed,
      "the rights to be gone",
    );
    const result = await executor.act(restart(), run, NEVER);
    expect(result).toMatchObject({ ok: false, sent: false, status: 403 });
  });

  it("or what the API server does not take", async () => {
    await deployed();
    const { executor } = stage.adapter;
    const wrong = on("kubernetes.set_resources", { requests: { cpu: "2" }, limits: { cpu: "1" } });
    const dryRun = await executor.dryRun(wrong);
    expect(checkOf(dryRun, "server-side dry-run")).toMatchObject({
      passed: false,
      message: expect.stringContaining("must be less than or equal to cpu limit"),
    });
    const result = await executor.act(wrong, runOf(await executor.snapshot(wrong)), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false, status: 422 });
  });
});

describe("a cluster that is away", () => {
  it("for a while in the middle of a rollout is looked at again", async () => {
    await deployed();
    const { executor, observer } = stage.adapter;
    const before = await executor.snapshot(restart());
    const run = runOf(before);
    expect(await executor.act(restart(), run, NEVER)).toMatchObject({ ok: true });
    await stage.cluster.stopApiServer();
    // Not at once: a connection that was open is noticed to be cut a moment later.
    await eventually(async () => {
      const seen = await observer.observe(restart().target!, new Date(), { operation: restart(), before });
      expect(seen).toMatchObject({
        healthy: null,
        facts: [{ message: expect.stringContaining("ECONNREFUSED") }],
      });
    });
    expect(await executor.act(restart(), run, NEVER)).toMatchObject({ ok: false, sent: false });
    expect(await executor.resolve(restart())).toMatchObject({ result: "error" });
    await stage.cluster.startApiServer();
    expect(await executor.effect(restart(), run)).toBe("done");
    await well(stage.adapter, restart(), before);
  });

  it("accepts and never answers: a look takes no longer than a request may", async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const kubeconfig = `${stage.cluster.kubeconfig}.silent`;
    await writeFile(
      kubeconfig,
      stage.cluster.kubeconfigText.replace(stage.cluster.url, `https://127.0.0.1:${port}`),
    );
    const { executor, observer } = adapterOf({ kubeconfig, request_timeout: "300ms" });
    expect(await executor.resolve(restart())).toMatchObject({
      result: "error",
      message: expect.stringContaining("timed out"),
    });
    expect(await observer.observe(restart().target!, new Date())).toMatchObject({ healthy: null });
    const result = await executor.act(restart(), runOf({ uid: "1" }), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});
