import {
  type ApiException,
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  PolicyApi,
  setHeaderOptions,
  type V1Pod,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually, until } from "../until.ts";
import { behaviourByImage } from "./behaviour.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Kubelet, startKubelet } from "./kubelet.ts";
import { deploymentOf } from "./objects.ts";

const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
const APP = { name: "api" };

let cluster: Cluster;
let kubelet: Kubelet;
let apps: AppsV1Api;
let core: CoreV1Api;
let namespace: string;

beforeAll(async () => {
  cluster = await startCluster();
  kubelet = await startKubelet(cluster, { beat: 200 });
  apps = cluster.admin.makeApiClient(AppsV1Api);
  core = cluster.admin.makeApiClient(CoreV1Api);
});
afterAll(async () => {
  await kubelet?.stop();
  await cluster?.stop();
});
beforeEach(async () => {
  namespace = await cluster.namespace();
  kubelet.behave(behaviourByImage);
});

const create = (image: string, replicas = 2) =>
  apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", image, replicas) });
const pods = async () => (await core.listNamespacedPod({ namespace })).items;
const nameOf = (pod: V1Pod | undefined) => pod?.metadata?.name ?? "";
const isReady = ({ status }: V1Pod) =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
/** Waits until exactly so many pods are there, all of them ready. */
const ready = (count: number) =>
  until(async () => {
    const all = await pods();
    return all.length === count && all.every(isReady) && all;
  }, `${count} ready pods`);
const statusOf = async (pod: V1Pod | undefined) =>
  (await core.readNamespacedPod({ name: nameOf(pod), namespace })).status?.containerStatuses?.[0];
/** The message of the API server and the code that it refused with. */
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: ApiException<string>) => ({ code: error.code, body: String(error.body) }),
  );

describe("a cluster with a stand-in kubelet", () => {
  it("rolls a deployment out, onto both nodes", async () => {
    await create("web:1");
    const all = await ready(2);
    expect(new Set(all.map(({ spec }) => spec?.nodeName))).toEqual(new Set(["node-1", "node-2"]));
    const isComplete = async () => {
      const { status } = await apps.readNamespacedDeployment({ ...APP, namespace });
      return status?.conditions?.some(({ reason }) => reason === "NewReplicaSetAvailable");
    };
    await until(isComplete, "the rollout to be complete");
  });

  it("stalls on a bad image, and leaves what runs", async () => {
    await create("web:1");
    await ready(2);
    const containers = [{ name: "main", image: "web:missing" }];
    const body = { spec: { template: { spec: { containers } } } };
    await apps.patchNamespacedDeployment({ ...APP, namespace, body }, MERGE);
    const isStalled = async () => {
      const { status } = await apps.readNamespacedDeployment({ ...APP, namespace });
      const stalled = status?.conditions?.some(({ reason }) => reason === "ProgressDeadlineExceeded");
      return stalled && status;
    };
    await eventually(async () => {
      const status = await until(isStalled, "the rollout to stall");
      expect(status).toMatchObject({ availableReplicas: 2, updatedReplicas: 1, unavailableReplicas: 1 });
    });
    const bad = await until(async () => (await pods()).find((pod) => !isReady(pod)), "the bad pod");
    const isTried = async () => (await statusOf(bad))?.state?.waiting?.reason === "ImagePullBackOff";
    await until(isTried, "the pull to be tried again");
    // Events are written after the status that they are about.
    await eventually(async () => {
      const events = await core.listNamespacedEvent({ namespace });
      expect(events.items.map(({ message }) => message)).toContain('Back-off pulling image "web:missing"');
    });
  });

  it("restarts what crashes, until the test lets it run", async () => {
    await create("oom:1", 1);
    const [pod] = await until(async () => (await pods()).length === 1 && pods(), "the pod");
    const restarted = await until(async () => {
      const status = await statusOf(pod);
      return (status?.restartCount ?? 0) > 2 && status;
    }, "restarts");
    expect(restarted.state?.waiting?.reason).toBe("CrashLoopBackOff");
    expect(restarted.lastState?.terminated).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
    kubelet.behave(() => "runs");
    await ready(1);
    kubelet.behave(() => "never_ready");
    await until(async () => !(await pods()).some(isReady), "the pod not to be ready");
    await eventually(async () => {
      const events = await core.listNamespacedEvent({ namespace });
      expect(events.items.find(({ reason }) => reason === "BackOff")?.count).toBeGreaterThan(1);
    });
  });

  it("completes a job", async () => {
    const containers = [{ name: "main", image: "once:1" }];
    const spec = { template: { spec: { restartPolicy: "Never", containers } } };
    const batch = cluster.admin.makeApiClient(BatchV1Api);
    await batch.createNamespacedJob({ namespace, body: { metadata: { name: "job" }, spec } });
    const isComplete = async () =>
      (await batch.readNamespacedJob({ name: "job", namespace })).status?.succeeded === 1;
    await until(isComplete, "the job to be complete");
    expect((await statusOf((await pods())[0]))?.state?.terminated).toMatchObject({ exitCode: 0 });
  });

  it("says why no node takes a pod", async () => {
    kubelet.behave(() => ({ kind: "unschedulable", message: "Insufficient memory." }));
    await create("web:1", 1);
    const refused = await until(async () => {
      const [pod] = await pods();
      return pod?.status?.conditions?.find(({ reason }) => reason === "Unschedulable");
    }, "the scheduler's word");
    expect(refused).toMatchObject({ message: "0/2 nodes are available: 2 Insufficient memory." });
    kubelet.behave(() => "runs");
    await ready(1);
  });

  it("replaces a pod that is deleted", async () => {
    await create("web:1");
    const [first] = await ready(2);
    await core.deleteNamespacedPod({ name: nameOf(first), namespace });
    const isReplaced = async () => !(await ready(2)).some((pod) => nameOf(pod) === nameOf(first));
    await until(isReplaced, "another pod");
  });

  it("refuses an eviction that a disruption budget forbids, and allows it otherwise", async () => {
    const { preferredVersion } = await cluster.admin.makeApiClient(PolicyApi).getAPIGroup({});
    const apiVersion = preferredVersion?.groupVersion ?? "";
    const budget = (minAvailable: number) => ({
      apiVersion,
      kind: "PodDisruptionBudget",
      metadata: { ...APP, namespace },
      spec: { minAvailable, selector: { matchLabels: { app: "api" } } },
    });
    const objects = KubernetesObjectApi.makeApiClient(cluster.admin);
    await objects.create(budget(2));
    await create("web:1");
    const name = nameOf((await ready(2))[0]);
    const evict = () =>
      core.createNamespacedPodEviction({
        name,
        namespace,
        body: { apiVersion, kind: "Eviction", metadata: { name, namespace } },
      });
    expect(await refusal(evict())).toMatchObject({
      code: 429,
      body: expect.stringContaining("disruption budget"),
    });
    await objects.patch(budget(1), undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
    await until(async () => (await refusal(evict())) === undefined, "the eviction to be allowed");
    await until(async () => (await ready(2)).every((pod) => nameOf(pod) !== name), "another pod");
  });

  it("reads logs through the API server", async () => {
    kubelet.answerLogs((_pod, _container, previous) => (previous ? "panic\n" : "one\ntwo\nthree\n"));
    await create("web:1", 1);
    const name = nameOf((await ready(1))[0]);
    const read = (options: object) => core.readNamespacedPodLog({ name, namespace, ...options });
    expect(await read({})).toBe("one\ntwo\nthree\n");
    expect(await read({ tailLines: 2 })).toBe("two\nthree\n");
    expect(await refusal(read({ previous: true }))).toMatchObject({ code: 400 });
    kubelet.behave(() => "crashes");
    const isRead = async () => (await refusal(read({ previous: true }))) === undefined;
    await until(isRead, "the log of before");
    expect(await read({ previous: true })).toBe("panic\n");
  });

  it("gives a service account exactly the rights that it is to have", async () => {
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["list"] }];
    const config = new KubeConfig();
    config.loadFromFile(await cluster.serviceAccount("reader", rules, namespace));
    const reader = config.makeApiClient(CoreV1Api);
    expect((await reader.listNamespacedPod({ namespace })).items).toEqual([]);
    const elsewhere = await refusal(reader.listNamespacedPod({ namespace: "default" }));
    const more = await refusal(reader.deleteNamespacedPod({ name: "x", namespace }));
    expect([elsewhere?.code, more?.code]).toEqual([403, 403]);
    expect(more?.body).toContain(`system:serviceaccount:${namespace}:reader`);
  });

  it("places the pod of a cordoned node elsewhere", async () => {
    await create("web:1", 1);
    const [pod] = await ready(1);
    const node = { name: pod?.spec?.nodeName ?? "" };
    await core.patchNode({ ...node, body: { spec: { unschedulable: true } } }, MERGE);
    await core.deleteNamespacedPod({ name: nameOf(pod), namespace });
    const other = await until(async () => {
      const [next] = await ready(1);
      return nameOf(next) !== nameOf(pod) && next;
    }, "another pod");
    expect(other.spec?.nodeName).not.toBe(node.name);
    await core.patchNode({ ...node, body: { spec: { unschedulable: null } } }, MERGE);
  });

  it("leaves the pods of a node alone that is not ready", async () => {
    await create("web:1", 1);
    const [pod] = await ready(1);
    const node = pod?.spec?.nodeName ?? "";
    await kubelet.condition(node, "Ready", false);
    await core.deleteNamespacedPod({ name: nameOf(pod), namespace });
    const other = await until(
      async () => (await pods()).find((one) => nameOf(one) !== nameOf(pod) && isReady(one)),
      "another pod",
    );
    expect(other.spec?.nodeName).not.toBe(node);
    expect((await pods()).map(nameOf)).toContain(nameOf(pod));
    await kubelet.condition(node, "Ready", true);
    await ready(1);
  });

  it("reports that a node is under pressure", async () => {
    await kubelet.condition("node-1", "MemoryPressure", true);
    const { status } = await core.readNode({ name: "node-1" });
    const pressure = status?.conditions?.find(({ type }) => type === "MemoryPressure");
    expect(pressure).toMatchObject({ status: "True", reason: "KubeletHasInsufficientMemory" });
    await kubelet.condition("node-1", "MemoryPressure", false);
  });

  it("goes on when the API server is started again", async () => {
    await create("web:1", 1);
    await ready(1);
    await apps.patchNamespacedDeployment({ ...APP, namespace, body: { spec: { replicas: 4 } } }, MERGE);
    await cluster.stopApiServer();
    await expect(fetch(cluster.url)).rejects.toThrow();
    await cluster.startApiServer();
    await ready(4);
  });
});
