import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import type { Approval } from "../../src/contract/approval.ts";
import type { Decision } from "../../src/contract/decision.ts";
import type { Investigation } from "../../src/contract/evidence.ts";
import type { Execution } from "../../src/contract/execution.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, concluded, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import type { Cluster } from "../support/kubernetes/cluster.ts";
import { type Kubelet, startKubelet } from "../support/kubernetes/kubelet.ts";
import { deploymentOf } from "../support/kubernetes/objects.ts";
import { shareCluster } from "../support/kubernetes/shared-cluster.ts";
import { until } from "../support/until.ts";

const JSON_PATCH = setHeaderOptions("Content-Type", PatchStrategy.JsonPatch);
const GOOD = "registry.example/web:1.2";
const BAD = "registry.example/web:missing";

let cluster: Cluster;
let kubelet: Kubelet;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };
let ada: Client;

const apps = (config: KubeConfig) => config.makeApiClient(AppsV1Api);
const settings = (kubeconfig: string) => ({
  kubernetes: { kubeconfig, settle: "300ms", request_timeout: "1m" },
  incident: { correlation: { merge: false } },
  verification: { wait: "200ms", collect: "5m", interval: "100ms" },
});

beforeAll(async () => {
  cluster = await shareCluster();
  kubelet = await startKubelet(cluster);
  database = await createDatabase();
  folder = await temporaryFolder("kubernetes");
  app = await startTestApp(database.url, folder, settings(cluster.kubeconfig));
  ada = await person(app, "ada", "approver");
});
afterAll(async () => {
  await app?.stop();
  await kubelet?.stop();
  await cluster?.stop();
  if (folder !== undefined) await clearFolder(folder);
  await database?.drop();
});

const imageOf = async (namespace: string, name: string) => {
  const found = await apps(cluster.admin).readNamespacedDeployment({ namespace, name });
  return found.spec?.template.spec?.containers[0]?.image;
};

/** Everything of it is there and ready, and the controllers have seen its latest change. */
const rolledOut = (namespace: string, name: string) =>
  until(async () => {
    const { spec, status, metadata } = await apps(cluster.admin).readNamespacedDeployment({
      namespace,
      name,
    });
    const current = status?.observedGeneration === metadata?.generation;
    return current && status?.updatedReplicas === spec?.replicas && status?.readyReplicas === spec?.replicas
      ? true
      : undefined;
  }, `${name} to be rolled out`);

/** Waits until what is wrong with what the query names can be seen. */
const seen = (query: string, ...codes: string[]) =>
  until(
    async () => {
      const { findings } = await app.admin.get<Investigation>(`/diagnosis?${query}`);
      return codes.every((code) => findings.some((one) => one.code === code));
    },
    `${codes.join(" and ")} of ${query}`,
  );
const foundOf = (namespace: string, name: string, ...codes: string[]) =>
  seen(`kind=deployment&name=${name}&namespace=${namespace}`, ...codes);

/** A deployment that served, and whose new image does not exist; nobody has told of it yet. */
async function brokenRollout(name: string): Promise<string> {
  const namespace = await cluster.namespace();
  await apps(cluster.admin).createNamespacedDeployment({ namespace, body: deploymentOf(name, GOOD) });
  await rolledOut(namespace, name);
  const body = [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: BAD }];
  await apps(cluster.admin).patchNamespacedDeployment({ namespace, name, body }, JSON_PATCH);
  return namespace;
}

const alertOf = (alertname: string, namespace: string, deployment: string) =>
  alertmanagerBody([{ labels: { alertname, namespace, deployment, severity: "critical" } }]);

/** What kube-prometheus-stack puts on every alert that kube-state-metrics reports. */
const KUBE_STATE_METRICS = {
  container: "kube-state-metrics",
  endpoint: "http",
  instance: "10.42.3.100:8080",
  job: "kube-state-metrics",
  pod: "stack-kube-state-metrics-8bbc975f8-nn58c",
  service: "stack-kube-state-metrics",
  severity: "critical",
};
/** And what a collector's own scrape adds to what it passes on. */
const COLLECTOR = {
  container: "otc-container",
  endpoint: "metrics",
  instance: "10.42.0.9:8889",
  job: "otel-collector",
  namespace: "observability",
  pod: "otel-collector-7c9bc5c7c-5jxqd",
  service: "otel-collector",
  severity: "critical",
};

const send = async (labels: Record<string, string>) =>
  (await post(app.url, alertmanagerBody([{ labels }]))).body.incident_id as string;
const incidentOf = (id: string) =>
  app.admin.get<{ operation_target: object; affected_services: string[] }>(`/incidents/${id}`);
const evidenceOf = (id: string, code: string) =>
  until(async () => {
    const found = await app.admin.get<Investigation | null>(`/incidents/${id}/evidence`);
    return found?.findings.some((one) => one.code === code) ? found : undefined;
  }, `${code} of ${id}`);

describe("alerts with the labels of what scraped them, on a real API server", () => {
  it("are about the job that failed: nothing is done to kube-state-metrics, and the next run is the same trouble", async () => {
    const namespace = await cluster.namespace();
    const batch = cluster.admin.makeApiClient(BatchV1Api);
    const name = "renovate-29057640";
    const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "crash:1" }] } };
    await batch.createNamespacedJob({
      namespace,
      body: { metadata: { name }, spec: { backoffLimit: 0, template } },
    });
    await seen(`kind=job&name=${name}&namespace=${namespace}`, "job_failed");
    const labels = { ...KUBE_STATE_METRICS, alertname: "KubeJobFailed", namespace, job_name: name };
    const id = await send(labels);
    const { target } = await evidenceOf(id, "job_failed");
    expect(target).toMatchObject({ kind: "job", name, namespace });
    expect(await incidentOf(id)).toMatchObject({
      operation_target: { kind: "job", name, namespace },
      affected_services: [name],
    });
    const decision = await app.admin.get<Decision>(`/incidents/${id}/decision`);
    expect(decision.proposal.operation).toMatchObject({ kind: "investigate", target: { kind: "job", name } });
    const { items } = await app.admin.get<{ items: Approval[] }>(`/approvals?incident_id=${id}`);
    expect(items).toEqual([]);
    expect(await send({ ...labels, job_name: "renovate-29059080" })).toBe(id);
  });

  it("are about the node that is not ready, each about its own", async () => {
    const alert = (node: string) => ({
      ...KUBE_STATE_METRICS,
      alertname: "KubeNodeNotReady",
      namespace: "monitoring",
      condition: "Ready",
      status: "true",
      node,
    });
    await kubelet.condition("node-1", "Ready", false);
    try {
      await seen("kind=node&name=node-1", "node_not_ready");
      const id = await send(alert("node-1"));
      await evidenceOf(id, "node_not_ready");
      expect(await incidentOf(id)).toMatchObject({ operation_target: { kind: "node", name: "node-1" } });
      const decision = await app.admin.get<Decision>(`/incidents/${id}/decision`);
      expect(decision.proposal.operation).toMatchObject({ target: { kind: "node", name: "node-1" } });
      expect(decision.summary).not.toContain("Do nothing");
      expect(await send(alert("node-2"))).not.toBe(id);
    } finally {
      await kubelet.condition("node-1", "Ready", true);
    }
  });

  it("are about the workload of `exported_pod`: it is repaired, and what acted is seen to have worked", async () => {
    const namespace = await brokenRollout("basket");
    await foundOf(namespace, "basket", "image_not_found", "bad_rollout");
    const { items: pods } = await cluster.admin.makeApiClient(CoreV1Api).listNamespacedPod({ namespace });
    const exported_pod = pods[0]?.metadata?.name ?? "";
    const labels = {
      ...COLLECTOR,
      alertname: "PodCrashLooping",
      exported_namespace: namespace,
      exported_pod,
    };
    const id = await send(labels);
    const { approval_id, plan_hash } = await approvalIn(app.admin, id, "pending");
    const target = { kind: "deployment", name: "basket", namespace };
    expect(await app.admin.get(`/approvals/${approval_id}`)).toMatchObject({
      operation: { kind: "kubernetes.rollout_undo", target },
    });
    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await ada.post(`/approvals/${approval_id}/approve`, { plan_hash });
    expect(await concluded(app.admin, id)).toMatchObject({ status: "resolved", operation_target: target });
    const { items } = await app.admin.get<{ items: Execution[] }>(`/incidents/${id}/executions`);
    expect(items).toMatchObject([{ status: "success", verification: { result: "success" } }]);
  });

  it("are about the workload behind the Service that a collector names, in whatever namespace that is", async () => {
    const namespace = await brokenRollout("ledger");
    await foundOf(namespace, "ledger", "image_not_found", "bad_rollout");
    const spec = { selector: { app: "ledger" }, ports: [{ port: 80 }] };
    const body = { metadata: { name: "ledger-api" }, spec };
    await cluster.admin.makeApiClient(CoreV1Api).createNamespacedService({ namespace, body });
    const id = await send({ ...COLLECTOR, alertname: "APIHighErrorRate", service_name: "ledger-api" });
    const { approval_id } = await approvalIn(app.admin, id, "pending");
    const target = { kind: "deployment", name: "ledger", namespace };
    expect(await app.admin.get(`/approvals/${approval_id}`)).toMatchObject({ operation: { target } });
    expect(await incidentOf(id)).toMatchObject({ operation_target: target });
    expect(await send({ ...COLLECTOR, alertname: "APIHighErrorRate", service_name: "other-api" })).not.toBe(
      id,
    );
  });
});

describe("a deployment with an image that does not exist, on a real API server", () => {
  it("is rolled back because of the evidence, not restarted, and its incident ends by that", async () => {
    const namespace = await brokenRollout("api");
    await foundOf(namespace, "api", "image_not_found", "bad_rollout");
    const answer = await post(app.url, alertOf("KubePodCrashLooping", namespace, "api"));
    const id = answer.body.incident_id as string;
    // The alert's name alone says restart.
    expect(answer.body.suggested_action).toContain("Restart");

    const { approval_id, plan_hash } = await approvalIn(app.admin, id, "pending");
    const approval = await app.admin.get<Approval>(`/approvals/${approval_id}`);
    expect(approval.operation).toEqual({
      kind: "kubernetes.rollout_undo",
      target: { kind: "deployment", name: "api", namespace },
      parameters: { to_revision: 1 },
    });
    expect(approval.diff).toContain(`${BAD} → ${GOOD}`);
    expect(approval.dry_run_checks.filter((check) => !check.passed)).toEqual([]);
    const decision = await app.admin.get<Decision>(`/incidents/${id}/decision`);
    expect(decision.summary).toMatch(/the evidence shows \w+: .+ \(E\d+/);
    const { findings } = await app.admin.get<Investigation>(`/incidents/${id}/evidence`);
    expect(findings.map((one) => one.code)).toEqual(
      expect.arrayContaining(["image_not_found", "bad_rollout"]),
    );

    await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
    await ada.post(`/approvals/${approval_id}/approve`, { plan_hash });
    const done = await concluded(app.admin, id);
    expect(done).toMatchObject({ status: "resolved", outcome: { disposition: "human_approved" } });
    expect(await imageOf(namespace, "api")).toBe(GOOD);
    await rolledOut(namespace, "api");
    const { items } = await app.admin.get<{ items: Execution[] }>(`/incidents/${id}/executions`);
    expect(items).toMatchObject([
      { status: "success", verification: { result: "success" }, undo: { possible: true } },
    ]);
    // The alert's sender is slower than the repair: that is said, and does not decide.
    expect(items[0]?.verification?.evidence.after?.facts).toContainEqual(
      expect.objectContaining({ name: "alert", passed: false }),
    );
    const log = await app.admin.get<{ items: { event: string }[] }>(`/operation-log?incident_id=${id}`);
    expect(log.items.map((one) => one.event).reverse()).toEqual([
      "ALERT_RECEIVED",
      "DRY_RUN_COMPLETED",
      "DRY_RUN_COMPLETED",
      "EXECUTION_STARTED",
      "EXECUTION_COMPLETED",
      "VERIFICATION_COMPLETED",
    ]);
    const asked = await app.admin.post<Approval>(`/executions/${items[0]?.execution_id}/undo`);
    expect(asked.operation).toMatchObject({
      kind: "kubernetes.rollout_undo",
      parameters: { to_revision: 2 },
    });
  });

  it("is what the name of its service means, and none of two that the service leads to", async () => {
    const namespace = await brokenRollout("till");
    await foundOf(namespace, "till", "image_not_found", "bad_rollout");
    const core = cluster.admin.makeApiClient(CoreV1Api);
    const spec = { selector: { app: "till" }, ports: [{ port: 80 }] };
    await core.createNamespacedService({ namespace, body: { metadata: { name: "till-svc" }, spec } });
    const alert = (alertname: string) =>
      alertmanagerBody([{ labels: { alertname, namespace, component: "till-svc", severity: "critical" } }]);
    const { body } = await post(app.url, alert("CheckoutFailing"));
    const id = body.incident_id as string;
    const { approval_id } = await approvalIn(app.admin, id, "pending");
    const target = { kind: "deployment", name: "till", namespace };
    expect(await app.admin.get(`/approvals/${approval_id}`)).toMatchObject({
      operation: { kind: "kubernetes.rollout_undo", target },
    });
    expect(await app.admin.get(`/incidents/${id}`)).toMatchObject({ operation_target: target });

    const canary = deploymentOf("till-canary", GOOD);
    canary.spec!.selector = { matchLabels: { app: "till", track: "canary" } };
    canary.spec!.template.metadata = { labels: { app: "till", track: "canary" } };
    await apps(cluster.admin).createNamespacedDeployment({ namespace, body: canary });
    const second = (await post(app.url, alert("CheckoutCrashing"))).body.incident_id as string;
    const found = await until(
      async () => (await app.admin.get<Investigation | null>(`/incidents/${second}/evidence`)) ?? undefined,
      "what it could be",
    );
    expect(found.candidates?.map((one) => one.target.name).sort()).toEqual(["till", "till-canary"]);
    expect(await app.admin.get(`/incidents/${second}`)).toMatchObject({
      operation_target: { kind: "unknown", name: "till-svc" },
    });
    const { items } = await app.admin.get<{ items: Approval[] }>(`/approvals?incident_id=${second}`);
    expect(items).toEqual([]);
  });

  it("is told of by awoooi diagnose's route, and what is not there by its close names", async () => {
    const namespace = await brokenRollout("cart");
    await foundOf(namespace, "cart", "image_not_found");
    const missing = await app.admin.call(
      "GET",
      `/diagnosis?kind=deployment&name=carts&namespace=${namespace}`,
    );
    expect(missing).toMatchObject({ status: 404, body: { detail: expect.stringContaining("cart") } });
  });

  it("is known not to be repairable before anyone signs, where the account may not", async () => {
    const namespace = await brokenRollout("shop");
    await foundOf(namespace, "shop", "image_not_found", "bad_rollout");
    const rules = [
      { apiGroups: ["", "apps"], resources: ["*"], verbs: ["get", "list"] },
      { apiGroups: ["authorization.k8s.io"], resources: ["selfsubjectaccessreviews"], verbs: ["create"] },
    ];
    const kubeconfig = await cluster.serviceAccount("reader", rules);
    // There is one set of workflows in a process.
    await app.stop();
    app = await startTestApp(database.url, folder, settings(kubeconfig));
    const { body } = await post(app.url, alertOf("KubePodCrashLooping", namespace, "shop"));
    const { approval_id } = await approvalIn(app.admin, body.incident_id as string, "pending");
    const { dry_run_checks } = await app.admin.get<Approval>(`/approvals/${approval_id}`);
    const refused = dry_run_checks.filter((check) => !check.passed);
    expect(refused.map((check) => `${check.name}: ${check.message}`).join("\n")).toMatch(
      /permission.*patch.*deployments/,
    );
    expect(await imageOf(namespace, "shop")).toBe(BAD);
  });
});
