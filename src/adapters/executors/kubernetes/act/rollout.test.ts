import { AutoscalingV1Api, type V1DaemonSet, type V1StatefulSet } from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
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
import { until } from "../../../../../test/support/until.ts";
import { EXECUTION } from "./annotations.ts";

let stage: Stage;
let namespace: string;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());
beforeEach(async () => {
  namespace = await stage.cluster.namespace();
});

type Kind = "deployment" | "statefulset" | "daemonset";
const on = (kind: `kubernetes.${string}`, parameters: object = {}, target: object = {}) =>
  operationOf({ kind, target: { kind: "deployment", name: "api", namespace, ...target }, parameters });

async function deployed(image = "web:1", replicas = 2) {
  await stage.apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", image, replicas) });
  await well(stage.adapter, on("kubernetes.rollout_restart"));
}
const deployment = () => stage.apps.readNamespacedDeployment({ namespace, name: "api" });
const imageNow = async () => (await deployment()).spec?.template.spec?.containers[0]?.image;

/** Takes the run back, and waits until that has worked. */
async function takenBack({ undo }: Awaited<ReturnType<typeof carryOut>>) {
  if (!undo.ok) throw new Error(undo.reason);
  return carryOut(stage.adapter, undo.operation);
}

describe("a rollout restart", () => {
  it("makes new pods of the same template, marked with the execution, and says so before", async () => {
    await deployed();
    const done = await carryOut(stage.adapter, on("kubernetes.rollout_restart"));
    expect(done.dryRun).toMatchObject({ affected_pods: 2 });
    expect(done.dryRun.checks.filter((one) => !one.passed)).toEqual([]);
    expect(done.dryRun.diff).toMatch(
      /^spec\.template\.metadata\.annotations\[kubectl\.kubernetes\.io\/restartedAt\]: none → 20\S+$/,
    );
    const { spec, metadata } = await deployment();
    expect(spec?.template.metadata?.annotations?.[EXECUTION]).toBe(done.run.execution_id);
    expect(metadata?.annotations?.[EXECUTION]).toBe(done.run.execution_id);
    expect(done.undo.ok).toBe(false);
  });

  it("happens once, however often it is asked for by the same execution", async () => {
    await deployed();
    const done = await carryOut(stage.adapter, on("kubernetes.rollout_restart"));
    const { generation } = (await deployment()).metadata ?? {};
    const again = await stage.adapter.executor.act(done.operation, done.run, NEVER);
    expect(again).toMatchObject({ ok: true, output: expect.stringContaining("Already done") });
    expect((await deployment()).metadata?.generation).toBe(generation);
    expect(await stage.adapter.executor.effect(done.operation, done.run)).toBe("done");
    expect(await stage.adapter.executor.effect(done.operation, runOf(done.before))).toBe("cannot_tell");
  });

  it("is not done yet for an execution of which there is nothing to be seen", async () => {
    await deployed();
    const operation = on("kubernetes.rollout_restart");
    const before = await stage.adapter.executor.snapshot(operation);
    expect(await stage.adapter.executor.effect(operation, runOf(before))).toBe("not_done");
  });

  it.each(["statefulset", "daemonset"] as const)("and an undo of a new image work on a %s", async (kind) => {
    await create(kind);
    const target = { kind };
    await well(stage.adapter, on("kubernetes.rollout_restart", {}, target));
    await carryOut(stage.adapter, on("kubernetes.rollout_restart", {}, target));
    const set = await carryOut(
      stage.adapter,
      on("kubernetes.set_image", { images: { main: "web:2" } }, target),
    );
    expect(set.dryRun.diff).toBe("spec.template.spec.containers[main].image: web:1 → web:2");
    expect(set.undo).toMatchObject({ operation: { parameters: { to_revision: 2 } } });
    await takenBack(set);
    const { executor } = stage.adapter;
    expect(await executor.snapshot(set.operation)).toMatchObject({ images: { main: "web:1" }, revision: 4 });
  });
});

async function create(kind: Exclude<Kind, "deployment">) {
  const { metadata, spec } = deploymentOf("api", "web:1");
  const { template, selector } = spec!;
  if (kind === "daemonset")
    await stage.apps.createNamespacedDaemonSet({
      namespace,
      body: { metadata, spec: { selector, template } } as V1DaemonSet,
    });
  else
    await stage.apps.createNamespacedStatefulSet({
      namespace,
      body: { metadata, spec: { selector, template, replicas: 2, serviceName: "api" } } as V1StatefulSet,
    });
}

describe("a rollout undo", () => {
  it("goes back to the revision that was named when it was resolved, and is taken back", async () => {
    await deployed();
    await carryOut(stage.adapter, on("kubernetes.set_image", { images: { main: "web:2" } }));
    const undone = await carryOut(stage.adapter, on("kubernetes.rollout_undo"));
    expect(undone.operation.parameters).toEqual({ to_revision: 1 });
    expect(undone.dryRun.diff).toBe("spec.template.spec.containers[main].image: web:2 → web:1");
    expect(await imageNow()).toBe("web:1");
    expect(undone.undo).toMatchObject({ operation: { parameters: { to_revision: 2 } } });
    await takenBack(undone);
    expect(await imageNow()).toBe("web:2");
  });

  it("looks through restarts, which are no other version", async () => {
    await deployed();
    await carryOut(stage.adapter, on("kubernetes.set_image", { images: { main: "web:2" } }));
    await carryOut(stage.adapter, on("kubernetes.rollout_restart"));
    const resolved = await stage.adapter.executor.resolve(on("kubernetes.rollout_undo"));
    expect(resolved).toMatchObject({ result: "hit", exact: { parameters: { to_revision: 1 } } });
  });

  it("says that there is nothing to go back to, and which revisions there are", async () => {
    await deployed();
    const { executor } = stage.adapter;
    expect(await executor.resolve(on("kubernetes.rollout_undo"))).toMatchObject({ result: "miss" });
    const far = await executor.resolve(on("kubernetes.rollout_undo", { to_revision: 7 }));
    expect(far).toEqual({ result: "miss", message: "revision 7 of api is not in its history; there are: 1" });
  });

  it("brings a stalled rollout back to what worked", async () => {
    await deployed();
    const { executor, observer } = stage.adapter;
    const bad = on("kubernetes.set_image", { images: { "*": "bad:1" } });
    const before = await executor.snapshot(bad);
    expect(await executor.act(bad, runOf(before), NEVER)).toMatchObject({ ok: true });
    const stalled = await stalledSeen(() =>
      observer.observe(bad.target!, new Date(), { operation: bad, before }),
    );
    expect(stalled.healthy).toBe(false);
    expect(stalled.facts.find((one) => one.name === "rollout")?.message).toMatch(/it is stalled/);
    expect(stalled.facts.find((one) => one.name === "waiting")?.message).toMatch(/ImagePull/);
    const undo = executor.undo(bad, before);
    if (!undo.ok) throw new Error(undo.reason);
    await carryOut(stage.adapter, undo.operation);
    expect(await imageNow()).toBe("web:1");
  });
});

async function stalledSeen(look: () => ReturnType<Stage["adapter"]["observer"]["observe"]>) {
  return until(async () => {
    const seen = await look();
    const said = (name: string) => seen.facts.find((one) => one.name === name)?.message ?? "";
    return /stalled/.test(said("rollout")) && /ImagePull/.test(said("waiting")) && seen;
  }, "the rollout to stall");
}

describe("scaling", () => {
  it("goes up and down to exactly so many, and back", async () => {
    await deployed();
    const up = await carryOut(stage.adapter, on("kubernetes.scale", { replicas: 4 }));
    expect(up.dryRun).toMatchObject({ diff: "spec.replicas: 2 → 4", affected_pods: 0 });
    const down = await carryOut(stage.adapter, on("kubernetes.scale", { replicas: 1 }));
    expect(down.dryRun.affected_pods).toBe(3);
    await takenBack(down);
    expect((await deployment()).spec?.replicas).toBe(4);
  });

  it("out leaves a count that is higher already, and says that nothing will change", async () => {
    await deployed("web:1", 3);
    const out = await carryOut(stage.adapter, on("kubernetes.scale_out", { at_least: 2 }));
    expect(out.dryRun.diff).toBeNull();
    expect(checkOf(out.dryRun, "server-side dry-run")?.message).toMatch(/nothing will change: .* already 3/);
    expect(out.undo).toEqual({ ok: false, reason: "it changed nothing" });
    const more = await carryOut(stage.adapter, on("kubernetes.scale_out", { at_least: 4 }));
    expect((await takenBack(more)).operation).toMatchObject({ parameters: { replicas: 3 } });
  });

  it("says that an autoscaler will change it back, and within which bounds", async () => {
    await deployed();
    await autoscaler(2, 5);
    const dryRun = (kind: "scale" | "scale_out", parameters: object) =>
      stage.adapter.executor.dryRun(on(`kubernetes.${kind}`, parameters));
    expect(checkOf(await dryRun("scale", { replicas: 4 }), "autoscaler")).toEqual({
      name: "autoscaler",
      passed: false,
      message: "api sets its replicas, 2 to 5: it will change the number back",
    });
    expect(checkOf(await dryRun("scale_out", { at_least: 9 }), "autoscaler")?.message).toMatch(
      /9 is out of range/,
    );
    expect(checkOf(await dryRun("scale_out", { at_least: 4 }), "autoscaler")?.passed).toBe(true);
  });
});

async function autoscaler(minReplicas: number, maxReplicas: number) {
  await stage.cluster.admin.makeApiClient(AutoscalingV1Api).createNamespacedHorizontalPodAutoscaler({
    namespace,
    body: {
      metadata: { name: "api" },
      spec: {
        minReplicas,
        maxReplicas,
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
      },
    },
  });
}

describe("changes of a pod template", () => {
  it("set resources of a container and go back by the revision", async () => {
    await deployed();
    const done = await carryOut(
      stage.adapter,
      on("kubernetes.set_resources", {
        container: "main",
        limits: { memory: "256Mi" },
        requests: { cpu: "100m" },
      }),
    );
    expect(done.dryRun.diff?.split("\n").sort()).toEqual([
      "spec.template.spec.containers[main].resources.limits.memory: none → 256Mi",
      "spec.template.spec.containers[main].resources.requests.cpu: none → 100m",
    ]);
    expect((await takenBack(done)).operation.kind).toBe("kubernetes.rollout_undo");
    expect((await deployment()).spec?.template.spec?.containers[0]?.resources).toEqual({});
  });

  it("are refused for a container that is not there, before and when acting", async () => {
    await deployed();
    const { executor } = stage.adapter;
    const operation = on("kubernetes.set_image", { images: { web: "web:2" } });
    const dryRun = await executor.dryRun(operation);
    expect(checkOf(dryRun, "server-side dry-run")).toMatchObject({
      passed: false,
      message: "it has no container web; its containers: main",
    });
    const result = await executor.act(operation, runOf(await executor.snapshot(operation)), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false });
  });

  it("patch numbers and go back to the old ones; of both, numbers stay", async () => {
    await deployed();
    const done = await carryOut(
      stage.adapter,
      on("kubernetes.patch", { patch: { spec: { minReadySeconds: 1 } } }),
    );
    expect(done.dryRun.diff).toBe("spec.minReadySeconds: none → 1");
    expect((await takenBack(done)).operation).toMatchObject({
      parameters: { patch: { spec: { minReadySeconds: 0 } } },
    });
    const spec = { replicas: 3, template: { spec: { containers: [{ name: "main", image: "web:2" }] } } };
    const both = await carryOut(stage.adapter, on("kubernetes.patch", { patch: { spec } }));
    expect(both.undo).toMatchObject({ ok: true, leaves: "replicas keep their new values" });
    await takenBack(both);
    expect(await imageNow()).toBe("web:1");
    expect((await deployment()).spec?.replicas).toBe(3);
  });

  it("show no secret of an environment, and no control characters", async () => {
    await deployed();
    const env = [
      { name: "DB_PASSWORD", value: "hunter2hunter2" },
      { name: "GREETING", value: "a\u001b[31mb" },
    ];
    const patch = { spec: { template: { spec: { containers: [{ name: "main", env }] } } } };
    const { diff } = await stage.adapter.executor.dryRun(on("kubernetes.patch", { patch }));
    expect(diff).not.toContain("hunter2");
    expect(diff).toContain("env[DB_PASSWORD].value: none → [redacted]");
    expect(diff).toContain("env[GREETING].value: none → a [31mb");
  });

  it("patch an autoscaler's bounds, and put them back", async () => {
    await deployed();
    await autoscaler(2, 5);
    const target = { kind: "horizontalpodautoscaler" };
    const done = await carryOut(
      stage.adapter,
      on("kubernetes.patch", { patch: { spec: { maxReplicas: 9 } } }, target),
    );
    expect(done.dryRun.diff).toBe("spec.maxReplicas: 5 → 9");
    expect((await takenBack(done)).operation).toMatchObject({
      parameters: { patch: { spec: { maxReplicas: 5 } } },
    });
  });
});

describe("what is said before", () => {
  it("warns of a paused rollout, and refuses to restart it", async () => {
    await deployed();
    await stage.adapter.clusters.of()!.raw({
      method: "PATCH",
      path: `/apis/apps/v1/namespaces/${namespace}/deployments/api`,
      type: "application/merge-patch+json",
      body: { spec: { paused: true } },
    });
    const { executor } = stage.adapter;
    const restart = on("kubernetes.rollout_restart");
    const dryRun = await executor.dryRun(restart);
    expect(checkOf(dryRun, "rollout")).toMatchObject({
      passed: false,
      message: expect.stringContaining("paused"),
    });
    expect(checkOf(dryRun, "server-side dry-run")).toMatchObject({ passed: false });
    const result = await executor.act(restart, runOf(await executor.snapshot(restart)), NEVER);
    expect(result).toMatchObject({ ok: false, sent: false });
  });

  it("notes who else decides what it should be", async () => {
    const body = deploymentOf("api", "web:1");
    body.metadata!.labels = { "argocd.argoproj.io/instance": "shop" };
    await stage.apps.createNamespacedDeployment({ namespace, body });
    const dryRun = await stage.adapter.executor.dryRun(on("kubernetes.scale", { replicas: 3 }));
    expect(checkOf(dryRun, "managed elsewhere")).toEqual({
      name: "managed elsewhere",
      passed: true,
      message: "it comes from Argo CD (shop), which may soon revert the change: change it there, too",
    });
  });
});
