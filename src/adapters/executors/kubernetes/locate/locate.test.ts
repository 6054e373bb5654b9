import {
  BatchV1Api,
  type KubernetesObject,
  KubernetesObjectApi,
  type V1PodTemplateSpec,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stage, startStage } from "../../../../../test/support/kubernetes/adapter.ts";
import { deploymentOf } from "../../../../../test/support/kubernetes/objects.ts";
import { eventually, until } from "../../../../../test/support/until.ts";
import type { OperationTarget } from "../../../../contract/incident.ts";
import { createClusters } from "../cluster/client.ts";
import { kubernetesConfig } from "../cluster/config.ts";
import { createInvestigator } from "../facts/investigator.ts";

let stage: Stage;
let objects: KubernetesObjectApi;
let shop: string;
let pay: string;
/** A name that no other test has: names are looked for in all namespaces. */
let api: string;
let count = 0;

beforeAll(async () => {
  stage = await startStage();
  objects = KubernetesObjectApi.makeApiClient(stage.cluster.admin);
});
afterAll(() => stage?.stop());
beforeEach(async () => {
  [shop, pay] = await Promise.all([stage.cluster.namespace(), stage.cluster.namespace()]);
  api = `api-${++count}`;
});

type Settings = { kubeconfig?: string; [setting: string]: unknown };
function investigatorOf({ kubeconfig = stage.cluster.kubeconfig, ...more }: Settings = {}) {
  const single = more.clusters === undefined ? { name: "test", kubeconfig } : {};
  const config = kubernetesConfig.parse({ ...single, request_timeout: "1m", ...more });
  return createInvestigator(createClusters(config), config);
}
const look = (target: OperationTarget, settings?: Settings) =>
  investigatorOf(settings).investigate(target, new Date(), AbortSignal.timeout(60_000));

const deploy = (name = api, namespace = shop, labels: Record<string, string> = { app: name }) => {
  const body = deploymentOf(name, "web:1", 1);
  body.metadata = { name, labels };
  const template = body.spec?.template as V1PodTemplateSpec;
  template.metadata = { labels };
  body.spec!.selector = { matchLabels: labels };
  return stage.apps.createNamespacedDeployment({ namespace, body });
};
const serve = (name: string, namespace: string, selector?: Record<string, string>) => {
  const spec = { ports: [{ port: 80 }], ...(selector === undefined ? {} : { selector }) };
  return stage.core.createNamespacedService({ namespace, body: { metadata: { name }, spec } });
};
/** Creates it in the first of these versions that the cluster has. */
async function createIn(versions: readonly string[], rest: object): Promise<void> {
  const [apiVersion, ...others] = versions;
  try {
    await objects.create({ apiVersion, ...rest } as KubernetesObject);
  } catch (error) {
    if (others.length === 0) throw error;
    await createIn(others, rest);
  }
}
const podsIn = async (namespace: string) => (await stage.core.listNamespacedPod({ namespace })).items;
const somePod = (namespace: string) =>
  until(async () => (await podsIn(namespace))[0], `a pod in ${namespace}`);

const ONE = { kind: "deployment" };
const places = (seen: Awaited<ReturnType<typeof look>>) =>
  (seen.candidates ?? [])
    .map(({ target: { kind, name, namespace, cluster } }) =>
      [cluster, namespace, kind, name].filter(Boolean).join("/"),
    )
    .sort();

describe("a name without a namespace", () => {
  it("is the only workload that is called so, in any case", async () => {
    await deploy();
    for (const kind of ["unknown", "service", "deployment"]) {
      const seen = await look({ kind, name: api.toUpperCase() });
      expect(seen).toMatchObject({ target: { kind: "deployment", name: api, namespace: shop }, missing: [] });
      expect(seen.candidates).toBeUndefined();
    }
  });

  it("is none of two in two namespaces: both are shown, whatever was asked for", async () => {
    await Promise.all([deploy(api, shop), deploy(api, pay)]);
    for (const kind of ["unknown", "service", "deployment"]) {
      const target = { kind, name: api };
      const seen = await look(target);
      expect(seen).toMatchObject({ target, evidence: [], findings: [] });
      expect(places(seen)).toEqual([`${pay}/deployment/${api}`, `${shop}/deployment/${api}`].sort());
    }
    expect(await look({ kind: "unknown", name: api, namespace: pay })).toMatchObject({
      target: { kind: "deployment", name: api, namespace: pay },
    });
  });

  it("is none of two kinds in one namespace", async () => {
    const labels = { app: "other" };
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "web:1" }] } };
    const spec = { serviceName: api, selector: { matchLabels: labels }, template };
    await deploy();
    await stage.apps.createNamespacedStatefulSet({
      namespace: shop,
      body: { metadata: { name: api }, spec },
    });
    expect(places(await look({ kind: "unknown", name: api, namespace: shop }))).toEqual([
      `${shop}/deployment/${api}`,
      `${shop}/statefulset/${api}`,
    ]);
  });

  it("is what its labels say, of the workload or of what owns the pods", async () => {
    await deploy(`${api}-web`, shop, { "app.kubernetes.io/instance": api });
    const seen = await look({ kind: "unknown", name: api });
    expect(seen.target).toEqual({ kind: "deployment", name: `${api}-web`, namespace: shop });
    expect(seen.evidence.at(-1)?.text).toContain("its label app.kubernetes.io/instance says so");
    await deploy(`${api}-worker`, pay, { "app.kubernetes.io/name": api });
    expect(places(await look({ kind: "service", name: api }))).toHaveLength(2);
  });

  it("that is only called alike is shown, and is not the target", async () => {
    await deploy(`${api}-cart`);
    const target = { kind: "unknown", name: `${api.replace("-", "_")}Cart` };
    const seen = await look(target);
    expect(seen).toMatchObject({ target, candidates: [{ reason: "it has a similar name" }] });
    expect(places(seen)).toEqual([`${shop}/deployment/${api}-cart`]);
  });

  it("is nothing where there is none, and names of no object ask for none", async () => {
    await deploy();
    for (const kind of [
      "unknown",
      "deployment",
      "ingress",
      "persistentvolume",
      "horizontalpodautoscaler",
      "node",
    ])
      for (const [name, namespace] of [
        [kind === "node" ? "nowhere" : api, ".."],
        ["..", shop],
        [`${api},metadata.namespace!=x`, shop],
      ] as const) {
        const seen = await look({ kind, name, namespace });
        expect(seen).toMatchObject({ target: null, evidence: [] });
      }
    for (const name of ["nowhere", "$(rm -rf)", "a".repeat(400), "..", "kube-system/../secrets"]) {
      const seen = await look({ kind: "unknown", name });
      expect(seen).toMatchObject({ target: null, findings: [], evidence: [] });
      expect(seen.missing).toEqual([`cluster test has no workload ${name}`]);
    }
  });
});

describe("a service", () => {
  it("is the workload that its selector picks, by its DNS names too, though it has no pods", async () => {
    await deploy(`${api}-web`, shop, { app: `${api}-web` });
    await serve(api, shop, { app: `${api}-web` });
    await stage.apps.replaceNamespacedDeploymentScale({
      namespace: shop,
      name: `${api}-web`,
      body: { metadata: { name: `${api}-web`, namespace: shop }, spec: { replicas: 0 } },
    });
    const target = { kind: "deployment", name: `${api}-web`, namespace: shop };
    for (const name of [api, `${api}.${shop}`, `${shop}/${api}`, `${api}.${shop}.svc.cluster.local:80`]) {
      const seen = await look({ kind: "service", name });
      expect(seen.target).toEqual(target);
      expect(seen.evidence.at(-1)).toMatchObject({
        subject: `deployment/${api}-web in ${shop}`,
        text: `is meant by service ${name}: the service ${api} selects its pods`,
      });
    }
  });

  it("and the workload of its name that it selects are one, with a canary beside it", async () => {
    await deploy(api, shop, { app: api, track: "stable" });
    await deploy(`${api}-canary`, shop, { app: api, track: "canary" });
    await serve(api, shop, { app: api });
    expect((await look({ kind: "service", name: api })).target).toMatchObject({ ...ONE, name: api });
  });

  it("that selects two workloads is none of them", async () => {
    await deploy(`${api}-a`, shop, { app: api, track: "a" });
    await deploy(`${api}-b`, shop, { app: api, track: "b" });
    await serve(`${api}-svc`, shop, { app: api });
    const seen = await look({ kind: "service", name: `${api}-svc` });
    expect(places(seen)).toEqual([`${shop}/deployment/${api}-a`, `${shop}/deployment/${api}-b`]);
  });

  it("that selects another workload than the one of its name leaves it open", async () => {
    await deploy(api);
    await deploy(`${api}-other`);
    await serve(api, shop, { app: `${api}-other` });
    expect(places(await look({ kind: "unknown", name: api }))).toEqual([
      `${shop}/deployment/${api}`,
      `${shop}/deployment/${api}-other`,
    ]);
  });

  it("that selects nothing is itself", async () => {
    await serve(api, shop, { app: "nothing" });
    const target = { kind: "service", name: api, namespace: shop };
    expect((await look({ kind: "service", name: api })).target).toEqual(target);
  });

  it("without a selector is what owns the pods that its endpoints name", async () => {
    await deploy();
    const pod = await somePod(shop);
    await serve(`${api}-db`, shop);
    const { name = "", uid = "" } = pod.metadata ?? {};
    const addresses = [{ ip: "10.1.2.3", targetRef: { kind: "Pod", name, namespace: shop, uid } }];
    await stage.core.createNamespacedEndpoints({
      namespace: shop,
      body: { metadata: { name: `${api}-db` }, subsets: [{ addresses, ports: [{ port: 80 }] }] },
    });
    await eventually(async () => {
      const seen = await look({ kind: "service", name: `${api}-db` });
      expect(seen.target).toEqual({ kind: "deployment", name: api, namespace: shop });
      expect(seen.evidence.at(-1)?.text).toContain(`the service ${api}-db routes to its pods`);
    });
  });
});

describe("what runs a pod", () => {
  it("is the topmost that can be acted on, and what others brought is said", async () => {
    const owner = {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Rollout",
      name: api,
      uid: "1",
      controller: true,
    };
    const labels = { app: api };
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "web:1" }] } };
    const metadata = { name: `${api}-5b69f75899`, ownerReferences: [owner] };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await stage.apps.createNamespacedReplicaSet({ namespace: shop, body: { metadata, spec } });
    const pod = await somePod(shop);
    const seen = await look({ kind: "unknown", name: api });
    expect(seen.target).toEqual({ kind: "pod", name: pod.metadata?.name, namespace: shop });
    expect(seen.evidence.at(-1)?.text).toContain(`owned by Rollout ${api}`);
  });

  it("is not a kind of the same name that others brought", async () => {
    await deploy();
    const owner = {
      apiVersion: "apps.kruise.io/v1beta1",
      kind: "Deployment",
      name: api,
      uid: "1",
      controller: true,
    };
    const metadata = { name: "lone", ownerReferences: [owner], labels: { app: "lone" } };
    const spec = { containers: [{ name: "main", image: "web:1" }] };
    await stage.core.createNamespacedPod({ namespace: shop, body: { metadata, spec } });
    expect((await look({ kind: "pod", name: "lone", namespace: shop })).target).toMatchObject({
      kind: "pod",
    });
  });

  it("is found with no namespace, of a pod that is gone too", async () => {
    await deploy();
    const { metadata } = await somePod(shop);
    const target = { kind: "deployment", name: api, namespace: shop };
    expect((await look({ kind: "pod", name: metadata?.name ?? "" })).target).toEqual(target);
    expect((await look({ kind: "pod", name: `${api}-5b69f75899-bxg4p` })).target).toEqual(target);
    expect((await look({ kind: "pod", name: `${api}-worker-0` })).target).toBeNull();
  });

  it("of a job that a cron job made is the cron job, by label; the job itself stays what it is", async () => {
    const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "backup:1" }] } };
    const jobTemplate = { metadata: { labels: { app: api } }, spec: { template } };
    const cron = { kind: "CronJob", metadata: { name: `${api}-nightly`, namespace: shop } };
    await createIn(["batch/v1", "batch/v1beta1"], {
      ...cron,
      spec: { schedule: "0 3 * * *", suspend: true, jobTemplate },
    });
    const made = await until(
      () => look({ kind: "cronjob", name: `${api}-nightly` }).then((seen) => seen.target ?? undefined),
      "the cron job",
    );
    const read = async (version: string) =>
      objects.read({ apiVersion: version, ...cron } as KubernetesObject as never);
    const { metadata } = await read("batch/v1").catch(() => read("batch/v1beta1"));
    const owner = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      name: `${api}-nightly`,
      uid: (metadata as { uid?: string }).uid ?? "",
      controller: true,
    };
    const run = `${api}-nightly-29057640`;
    await stage.cluster.admin.makeApiClient(BatchV1Api).createNamespacedJob({
      namespace: shop,
      body: { metadata: { name: run, labels: { app: api }, ownerReferences: [owner] }, spec: { template } },
    });
    expect((await look({ kind: "unknown", name: api })).target).toEqual(made);
    expect((await look({ kind: "job", name: run })).target).toEqual({
      kind: "job",
      name: run,
      namespace: shop,
    });
  });
});

describe("what leads to a workload", () => {
  it("of an autoscaler is what it scales; of a kind that others brought it is itself", async () => {
    await deploy();
    const autoscaler = (name: string, scaleTargetRef: object) =>
      objects.create({
        apiVersion: "autoscaling/v1",
        kind: "HorizontalPodAutoscaler",
        metadata: { name, namespace: shop },
        spec: { minReplicas: 1, maxReplicas: 2, scaleTargetRef },
      } as KubernetesObject);
    await autoscaler(`${api}-hpa`, { apiVersion: "apps/v1", kind: "Deployment", name: api });
    await autoscaler(`${api}-rollout`, { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", name: api });
    const kind = "horizontalpodautoscaler";
    for (const namespace of [shop, undefined]) {
      const place = namespace === undefined ? {} : { namespace };
      const seen = await look({ kind, name: `${api}-hpa`, ...place });
      expect(seen.target).toEqual({ kind: "deployment", name: api, namespace: shop });
    }
    const other = await look({ kind, name: `${api}-rollout` });
    expect(other.target).toEqual({ kind, name: `${api}-rollout`, namespace: shop });
    expect(other.evidence[0]?.text).toContain(`it scales Rollout ${api}`);
  });

  it("of an ingress is what stands behind its services", async () => {
    await deploy();
    await serve(`${api}-svc`, shop, { app: api });
    const metadata = { name: `${api}-ingress`, namespace: shop };
    const service = `${api}-svc`;
    try {
      await objects.create({
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata,
        spec: { defaultBackend: { service: { name: service, port: { number: 80 } } } },
      } as KubernetesObject);
    } catch {
      await objects.create({
        apiVersion: "networking.k8s.io/v1beta1",
        kind: "Ingress",
        metadata,
        spec: { backend: { serviceName: service, servicePort: 80 } },
      } as KubernetesObject);
    }
    const seen = await look({ kind: "ingress", name: `${api}-ingress` });
    expect(seen.target).toEqual({ kind: "deployment", name: api, namespace: shop });
    expect(seen.evidence.at(-1)?.text).toContain(
      `the ingress ${api}-ingress routes to its service ${service}`,
    );
  });

  it("of a volume is its claim, whose evidence says what mounts it", async () => {
    const storage = { storage: "1Gi" };
    const accessModes = ["ReadWriteOnce"];
    const volumeName = `pv-${api}`;
    const claimRef = { name: "data", namespace: shop };
    const spec = {
      accessModes,
      capacity: storage,
      hostPath: { path: "/tmp" },
      storageClassName: "",
      claimRef,
    };
    await stage.core.createPersistentVolume({ body: { metadata: { name: volumeName }, spec } });
    const claim = { accessModes, storageClassName: "", volumeName, resources: { requests: storage } };
    await stage.core.createNamespacedPersistentVolumeClaim({
      namespace: shop,
      body: { metadata: { name: "data" }, spec: claim },
    });
    const body = deploymentOf(api, "web:1", 1);
    const pod = body.spec?.template?.spec;
    if (pod) pod.volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
    await stage.apps.createNamespacedDeployment({ namespace: shop, body });
    await eventually(async () => {
      const seen = await look({ kind: "persistentvolume", name: volumeName });
      expect(seen.target).toEqual({ kind: "persistentvolumeclaim", name: "data", namespace: shop });
      expect(seen.findings).toEqual([
        expect.objectContaining({
          code: "volume_in_use",
          title: expect.stringContaining(`deployment ${api}`),
        }),
      ]);
    });
  });
});

describe("a machine", () => {
  it("is the node of this name or address; one that is no node is nothing that is missing", async () => {
    const address = "10.99.0.7";
    const status = {
      addresses: [
        { type: "InternalIP", address },
        { type: "Hostname", address: "Worker-7.example.com" },
      ],
    };
    await stage.core.createNode({ body: { metadata: { name: "worker-7" }, status } });
    for (const name of ["worker-7", "WORKER-7", address, `${address}:9100`, "worker-7.example.com"])
      for (const kind of ["host", "node"])
        expect((await look({ kind, name })).target).toEqual({ kind: "node", name: "worker-7" });
    expect(await look({ kind: "host", name: "10.99.0.8" })).toMatchObject({ target: null, missing: [] });
    const node = await look({ kind: "node", name: "10.99.0.8" });
    expect(node).toMatchObject({ target: null, missing: ["cluster test has no node 10.99.0.8"] });
    await stage.core.createNode({ body: { metadata: { name: "worker-8" }, status } });
    expect(places(await look({ kind: "host", name: address }))).toEqual(["node/worker-7", "node/worker-8"]);
  });
});

describe("several clusters", () => {
  const both = (second = stage.cluster.kubeconfig) => ({
    clusters: [
      { name: "eu", kubeconfig: stage.cluster.kubeconfig, aliases: ["prod-eu"] },
      { name: "us", kubeconfig: second },
    ],
  });

  it("with the same name in both leave it open, though it has a kind and a namespace", async () => {
    await deploy();
    for (const target of [
      { kind: "deployment", name: api, namespace: shop },
      { kind: "unknown", name: api },
    ])
      expect(places(await look(target, both()))).toEqual([
        `eu/${shop}/deployment/${api}`,
        `us/${shop}/deployment/${api}`,
      ]);
    for (const cluster of ["us", "prod-eu"])
      expect((await look({ kind: "unknown", name: api, cluster }, both())).target).toEqual({
        kind: "deployment",
        name: api,
        namespace: shop,
        cluster,
      });
  });

  it("of which one may not be read leave a single hit open, unless the alert named its cluster", async () => {
    await deploy();
    const none = await stage.cluster.serviceAccount("nothing", []);
    const seen = await look({ kind: "unknown", name: api }, both(none));
    expect(places(seen)).toEqual([`eu/${shop}/deployment/${api}`]);
    expect(seen.missing).toContain(
      "cluster us: deployments in all namespaces: not allowed: the permission to list deployments in all namespaces is missing",
    );
    expect(await look({ kind: "unknown", name: api, cluster: "eu" }, both(none))).toMatchObject({
      target: { kind: "deployment", cluster: "eu" },
    });
  });
});

describe("namespaces", () => {
  it("that are denied are not looked into, and those that are allowed are all that is", async () => {
    await Promise.all([deploy(api, shop), deploy(api, pay)]);
    const target = { kind: "deployment", name: api, namespace: shop };
    for (const settings of [{ denied_namespaces: [pay] }, { allowed_namespaces: [shop] }]) {
      expect(await look({ kind: "unknown", name: api }, settings)).toMatchObject({ target, missing: [] });
      const named = await look({ kind: "unknown", name: `${api}.${pay}.svc` }, settings);
      expect(named.target).not.toMatchObject({ namespace: pay });
      expect(named.missing.join()).toContain("may not be read");
    }
  });

  it("that an account may not read leave a single hit open, and it is said", async () => {
    await deploy();
    const rules = [
      {
        apiGroups: ["apps"],
        resources: ["deployments", "statefulsets", "daemonsets", "replicasets"],
        verbs: ["get", "list"],
      },
      { apiGroups: ["batch"], resources: ["jobs", "cronjobs"], verbs: ["get", "list"] },
      { apiGroups: [""], resources: ["pods", "services"], verbs: ["get", "list"] },
    ];
    const kubeconfig = await stage.cluster.serviceAccount("own", rules, shop);
    const nowhere = await look({ kind: "unknown", name: api }, { kubeconfig });
    expect(nowhere).toMatchObject({ target: { kind: "unknown", name: api } });
    expect(nowhere.missing.join()).toContain(
      "the permission to list deployments in all namespaces is missing",
    );
    // Of two namespaces one can be read: what is there need not be the only one.
    const partly = await look(
      { kind: "unknown", name: api },
      { kubeconfig, allowed_namespaces: [shop, pay] },
    );
    expect(places(partly)).toEqual([`${shop}/deployment/${api}`]);
    const own = { kubeconfig, allowed_namespaces: [shop] };
    expect((await look({ kind: "unknown", name: api }, own)).target).toMatchObject({ kind: "deployment" });
  });
});
