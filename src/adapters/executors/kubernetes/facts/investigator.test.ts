import {
  AppsV1Api,
  AutoscalingV1Api,
  BatchV1Api,
  CoreV1Api,
  type KubernetesObject,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
  type V1PolicyRule,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { behaviourByImage } from "../../../../../test/support/kubernetes/behaviour.ts";
import type { Cluster } from "../../../../../test/support/kubernetes/cluster.ts";
import { type Kubelet, startKubelet } from "../../../../../test/support/kubernetes/kubelet.ts";
import { deploymentOf } from "../../../../../test/support/kubernetes/objects.ts";
import { shareCluster } from "../../../../../test/support/kubernetes/shared-cluster.ts";
import { eventually, until } from "../../../../../test/support/until.ts";
import type { Investigation } from "../../../../contract/evidence.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import { createClusters } from "../cluster/client.ts";
import { kubernetesConfig } from "../cluster/config.ts";
import { createInvestigator } from "./investigator.ts";

const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

let cluster: Cluster;
let kubelet: Kubelet;
let apps: AppsV1Api;
let core: CoreV1Api;
let batch: BatchV1Api;
let namespace: string;

beforeAll(async () => {
  cluster = await shareCluster();
  kubelet = await startKubelet(cluster, { beat: 200 });
  apps = cluster.admin.makeApiClient(AppsV1Api);
  core = cluster.admin.makeApiClient(CoreV1Api);
  batch = cluster.admin.makeApiClient(BatchV1Api);
});
afterAll(async () => {
  await kubelet?.stop();
  await cluster?.stop();
});
beforeEach(async () => {
  namespace = await cluster.namespace();
  kubelet.behave(behaviourByImage);
  kubelet.answerLogs((_pod, container) => `${container} has started\n`);
});

const investigatorOf = (kubeconfig: string, more: object = {}) => {
  const config = kubernetesConfig.parse({ name: "test", kubeconfig, ...more });
  return createInvestigator(createClusters(config), config);
};
const look = (
  target: Partial<OperationTarget> = {},
  kubeconfig = cluster.kubeconfig,
  signal = AbortSignal.timeout(20_000),
) =>
  investigatorOf(kubeconfig).investigate(
    { kind: "deployment", name: "api", namespace, ...target },
    new Date(),
    signal,
  );

const codes = ({ findings }: Investigation, ...weights: string[]) =>
  findings.filter(({ weight }) => weights.length === 0 || weights.includes(weight)).map(({ code }) => code);

const create = (image: string, replicas = 2) =>
  apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", image, replicas) });
const setImage = (image: string) =>
  apps.patchNamespacedDeployment(
    {
      namespace,
      name: "api",
      body: { spec: { template: { spec: { containers: [{ name: "main", image }] } } } },
    },
    MERGE,
  );
const pods = async () => (await core.listNamespacedPod({ namespace })).items;
const isReady = ({ status }: V1Pod) =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
const ready = (count: number) =>
  until(async () => (await pods()).filter(isReady).length === count, `${count} ready pods`);
const textOf = ({ evidence }: Investigation, ids: readonly string[] = []) =>
  evidence
    .filter(({ id }) => ids.includes(id))
    .map(({ text }) => text)
    .join("\n");

describe("what it says of a deployment", () => {
  it("that is well: nothing is wrong with it", async () => {
    await create("web:1");
    await ready(2);
    await eventually(async () => {
      const seen = await look();
      expect(codes(seen)).toEqual(["no_recent_rollout", "workload_healthy"]);
      expect(seen).toMatchObject({ target: { kind: "deployment", name: "api", namespace }, missing: [] });
    });
  });

  it("with a new image that is not there: the rollout is bad, and what changed", async () => {
    await create("web:1");
    await ready(2);
    await setImage("web:missing");
    await eventually(async () => {
      const seen = await look();
      expect(codes(seen, "cause")).toEqual(["bad_rollout", "image_not_found"]);
      expect(codes(seen, "symptom")).toEqual(["rollout_stalled"]);
      const [bad] = seen.findings;
      expect(bad?.title).toMatch(/^Revision 2, .*: container main: image web:1 → web:missing$/);
      expect(bad?.meaning).toContain("2 pods of revision 1 still serve");
      expect(textOf(seen, bad?.evidence)).toMatch(/revision 1 \(api-.*\): 2 of 2 pods ready/);
    });
  });

  it("that crashes from the start: no rollout is to blame, and its log says why", async () => {
    kubelet.answerLogs((_pod, _container, previous) =>
      previous ? "\u001b[31mFATAL\u001b[0m no database, password=hunter2secret\n" : "starting\n",
    );
    await create("crash:1");
    await eventually(async () => {
      const seen = await look();
      expect(JSON.stringify(seen)).not.toContain("hunter2secret");
      expect(codes(seen, "cause")).toEqual(["crash_loop"]);
      expect(seen.findings[0]?.title).toMatch(
        /^Container main of 2 pods \(.*\) ends again and again with exit code 1$/,
      );
      const text = textOf(seen, seen.findings[0]?.evidence);
      expect(text).toContain("FATAL no database");
      expect(text).toContain("password=[redacted]");
    });
  });

  it("that is killed for its memory: the limit, and the crash loop as what follows", async () => {
    const body = deploymentOf("api", "oom:1", 1);
    const [container] = body.spec?.template?.spec?.containers ?? [];
    if (container !== undefined) container.resources = { limits: { memory: "64Mi" } };
    await apps.createNamespacedDeployment({ namespace, body });
    await eventually(async () => {
      const seen = await look();
      expect(codes(seen)).toContain("crash_loop");
      expect(codes(seen, "cause")).toEqual(["out_of_memory"]);
      expect(seen.findings[0]?.title).toContain("at its memory limit of 64Mi");
    });
  });

  it("that no node takes, and why", async () => {
    kubelet.behave(() => ({ kind: "unschedulable", message: "Insufficient memory." }));
    await create("web:1", 1);
    await eventually(async () => {
      const [first] = (await look()).findings;
      expect(first?.code).toBe("unschedulable");
      expect(first?.title).toMatch(/^No node can take pod api-.*: too little memory is left$/);
    });
  });

  it("whose config map is not there", async () => {
    kubelet.behave(() => "hangs");
    await create("web:1", 1);
    const pod = await until(
      async () => (await pods()).find(({ status }) => status?.containerStatuses),
      "the pod",
    );
    const { name = "", uid = "" } = pod.metadata ?? {};
    const message = 'MountVolume.SetUp failed for volume "config" : configmap "api-config" not found';
    await core.createNamespacedEvent({
      namespace,
      body: {
        metadata: { name: `${name}.mount` },
        involvedObject: { kind: "Pod", name, namespace, uid },
        reason: "FailedMount",
        message,
        lastTimestamp: new Date(),
      },
    });
    await eventually(async () =>
      expect((await look()).findings[0]).toMatchObject({
        code: "config_map_missing",
        weight: "cause",
        title: "The config map api-config does not exist",
      }),
    );
  });

  it("whose service has a selector of something else, asked of either", async () => {
    await create("web:1");
    await ready(2);
    const spec = { selector: { app: "apy" }, ports: [{ port: 80 }] };
    await core.createNamespacedService({ namespace, body: { metadata: { name: "api" }, spec } });
    for (const kind of ["service", "deployment"]) {
      await eventually(async () => {
        const seen = await look({ kind });
        expect(codes(seen, "cause")).toEqual(["service_selector_mismatch"]);
        expect(seen.target).toMatchObject({ kind, name: "api" });
      });
    }
  });

  it("whose quota is used up", async () => {
    const quota = { metadata: { name: "few" }, spec: { hard: { pods: "1" } } };
    await core.createNamespacedResourceQuota({ namespace, body: quota });
    const used = async () =>
      (await core.readNamespacedResourceQuota({ namespace, name: "few" })).status?.hard?.pods;
    await until(used, "the quota to count");
    await create("web:1", 3);
    await eventually(async () => {
      const seen = await look();
      expect(seen.findings[0]?.code).toBe("quota_exceeded");
      expect(seen.findings[0]?.title).toMatch(
        /^New pods exceed the quota few: requested: pods=1, used: pods=1/,
      );
      expect(textOf(seen, seen.findings[0]?.evidence)).toContain("pods 1 of 1");
    });
  });

  it("on a node that is not ready; and of the node itself", async () => {
    await create("web:1", 1);
    await ready(1);
    const node = (await pods())[0]?.spec?.nodeName ?? "";
    await kubelet.condition(node, "Ready", false);
    try {
      await eventually(async () => expect(codes(await look(), "cause")).toContain("node_not_ready"));
      await eventually(async () => {
        const itself = await look({ kind: "node", name: node });
        expect(codes(itself)).toEqual(["node_not_ready"]);
        expect(itself.target).toEqual({ kind: "node", name: node });
      });
    } finally {
      await kubelet.condition(node, "Ready", true);
    }
  });
});

describe("what stands around it", () => {
  /** Creates it in the first of these versions that the cluster has. */
  async function createIn(versions: readonly string[], rest: object): Promise<void> {
    const objects = KubernetesObjectApi.makeApiClient(cluster.admin);
    const [apiVersion, ...others] = versions;
    try {
      await objects.create({ apiVersion, ...rest } as KubernetesObject);
    } catch (error) {
      if (others.length === 0) throw error;
      await createIn(others, rest);
    }
  }

  it("is read in whatever version the cluster has it: budgets, autoscalers, cron jobs", async () => {
    await create("web:1");
    await ready(2);
    const metadata = { name: "api", namespace };
    const selector = { matchLabels: { app: "api" } };
    const budget = { kind: "PodDisruptionBudget", metadata, spec: { minAvailable: 2, selector } };
    await createIn(["policy/v1", "policy/v1beta1"], budget);
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "api" };
    const autoscaling = cluster.admin.makeApiClient(AutoscalingV1Api);
    const spec = { minReplicas: 1, maxReplicas: 2, scaleTargetRef };
    await autoscaling.createNamespacedHorizontalPodAutoscaler({ namespace, body: { metadata, spec } });
    // Its controller would come to that within its period of 15 s.
    const body = { status: { currentReplicas: 2, desiredReplicas: 2 } };
    await autoscaling.patchNamespacedHorizontalPodAutoscalerStatus({ namespace, name: "api", body }, MERGE);
    const around = ["autoscaler_at_max", "disruption_budget_blocks", "workload_healthy"];
    await eventually(async () => expect(codes(await look())).toEqual(expect.arrayContaining(around)));
    const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "backup:1" }] } };
    const nightly = { schedule: "0 3 * * *", suspend: true, jobTemplate: { spec: { template } } };
    const cron = { kind: "CronJob", metadata: { name: "nightly", namespace }, spec: nightly };
    await createIn(["batch/v1", "batch/v1beta1"], cron);
    await eventually(async () =>
      expect(codes(await look({ kind: "cronjob", name: "nightly" }))).toEqual(["cron_job_suspended"]),
    );
  });

  it("is a claim that gets no volume", async () => {
    const spec = {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast",
      resources: { requests: { storage: "1Gi" } },
    };
    await core.createNamespacedPersistentVolumeClaim({
      namespace,
      body: { metadata: { name: "data" }, spec },
    });
    const body = deploymentOf("api", "web:1", 1);
    const pod = body.spec?.template?.spec;
    if (pod) pod.volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    await apps.createNamespacedDeployment({ namespace, body });
    await eventually(async () => {
      const title = expect.stringContaining("there is no storage class fast");
      const why = expect.objectContaining({ title, code: "volume_pending", weight: "cause" });
      expect((await look()).findings).toContainEqual(why);
      expect(codes(await look({ kind: "persistentvolumeclaim", name: "data" }))).toEqual(["volume_pending"]);
    });
  });
});

describe("what it says of other targets", () => {
  it("a job that has given up", async () => {
    kubelet.behave(() => ({ kind: "crashes", exitCode: 2 }));
    const template = {
      spec: { restartPolicy: "Never", containers: [{ name: "main", image: "backup:1" }] },
    };
    const spec = { backoffLimit: 0, template };
    await batch.createNamespacedJob({ namespace, body: { metadata: { name: "nightly" }, spec } });
    await eventually(async () => {
      const seen = await look({ kind: "job", name: "nightly" });
      expect(codes(seen, "cause")).toEqual(["job_failed"]);
      expect(seen.findings[0]?.meaning).toContain("exit code 2");
    });
  });

  it("a pod is its deployment; so is a name of which the kind is not known", async () => {
    await create("web:1", 1);
    await ready(1);
    const [pod] = await pods();
    for (const target of [
      { kind: "pod", name: pod?.metadata?.name ?? "" },
      { kind: "unknown" },
      { kind: "pod" },
    ])
      expect((await look(target)).target).toEqual({ kind: "deployment", name: "api", namespace });
  });

  it("a stateful set, with what changed", async () => {
    const labels = { app: "db" };
    const template = (image: string) => ({
      metadata: { labels },
      spec: { containers: [{ name: "main", image }], terminationGracePeriodSeconds: 0 },
    });
    const spec = {
      replicas: 1,
      serviceName: "db",
      selector: { matchLabels: labels },
      template: template("db:1"),
    };
    await apps.createNamespacedStatefulSet({ namespace, body: { metadata: { name: "db" }, spec } });
    await ready(1);
    await eventually(async () => {
      const seen = await look({ kind: "statefulset", name: "db" });
      expect(codes(seen)).toContain("workload_healthy");
      expect(codes(seen, "cause")).toEqual([]);
    });
    const body = { spec: { template: template("crash:2") } };
    await apps.patchNamespacedStatefulSet({ namespace, name: "db", body }, MERGE);
    await eventually(async () => {
      const [first] = (await look({ kind: "statefulset", name: "db" })).findings;
      expect(first?.code).toBe("bad_rollout");
      expect(first?.title).toContain("image db:1 → crash:2");
    });
  });

  it("a pod that is gone is what ran it, by its name; nothing else that is called alike", async () => {
    await create("web:1", 1);
    await ready(1);
    const gone = await look({ kind: "pod", name: "api-5b69f75899-bxg4p" });
    expect(gone).toMatchObject({ target: { kind: "deployment", name: "api" } });
    expect(gone.missing).toEqual([expect.stringContaining("pod api-5b69f75899-bxg4p no longer exists")]);
    expect((await look({ kind: "pod", name: "api-worker-0" })).target).toBeNull();
    const close = await look({ name: "apy" });
    expect(close).toMatchObject({ target: null, missing: [expect.stringMatching(/; similar names: api$/)] });
  });

  it("what is not there has no target", async () => {
    const seen = await look({ name: "nowhere" });
    expect(seen).toMatchObject({ target: null, findings: [], evidence: [] });
    expect(seen.missing[0]).toBe(`cluster test has no deployment nowhere in ${namespace}`);
  });

  it("a namespace that may not be read is left alone", async () => {
    const denied = investigatorOf(cluster.kubeconfig, { denied_namespaces: [namespace] });
    const target = { kind: "deployment", name: "api", namespace };
    const seen = await denied.investigate(target, new Date(), AbortSignal.timeout(5_000));
    expect(seen).toMatchObject({ target, evidence: [], missing: [expect.stringContaining(namespace)] });
    expect(denied.investigates({ ...target, cluster: "another" })).toBe(false);
    expect(denied.investigates({ kind: "process", name: "web-1" })).toBe(false);
  });
});

describe("what it may not read", () => {
  const READ: V1PolicyRule[] = [
    { apiGroups: ["apps"], resources: ["deployments", "replicasets"], verbs: ["get", "list"] },
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
  ];

  it("is said with the permission that is missing, and the rest is there", async () => {
    const some = await cluster.serviceAccount("some", READ, namespace);
    await create("web:1");
    await ready(2);
    await setImage("web:missing");
    await eventually(async () => {
      const seen = await look({}, some);
      expect(codes(seen, "cause")).toContain("bad_rollout");
      for (const right of [`list events in ${namespace}`, `list services in ${namespace}`, "get nodes"])
        expect(seen.missing.join("\n")).toContain(`not allowed: the permission to ${right} is missing`);
      expect(new Set(seen.missing).size).toBe(seen.missing.length);
    });
  });

  it("is all of it for an account without rights: the target may be there", async () => {
    await create("web:1", 1);
    const none = await cluster.serviceAccount("none", [], namespace);
    const seen = await look({}, none);
    expect(seen.target).toEqual({ kind: "deployment", name: "api", namespace });
    expect(seen.missing).toEqual([
      `deployment api in ${namespace}: not allowed: the permission to get deployments in ${namespace} is missing`,
    ]);
  });

  it("is what there was no time for", async () => {
    await create("web:1", 1);
    const seen = await look({}, cluster.kubeconfig, AbortSignal.abort());
    expect(seen.missing.join()).toContain("the time limit was reached");
    expect(seen.findings).toEqual([]);
  });
});
