import { AppsV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import type { Investigation } from "../../src/contract/evidence.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, person, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import type { Cluster } from "../support/kubernetes/cluster.ts";
import { type Kubelet, startKubelet } from "../support/kubernetes/kubelet.ts";
import { deploymentOf } from "../support/kubernetes/objects.ts";
import { shareCluster } from "../support/kubernetes/shared-cluster.ts";
import { until } from "../support/until.ts";

let cluster: Cluster;
let kubelet: Kubelet;
let database: TestDatabase;
let folder: string;
let app: Awaited<ReturnType<typeof startTestApp>>;

beforeAll(async () => {
  [cluster, database, folder] = await Promise.all([
    shareCluster(),
    createDatabase(),
    temporaryFolder("diagnosis"),
  ]);
  kubelet = await startKubelet(cluster, { beat: 200 });
  const kubernetes = { name: "test", kubeconfig: cluster.kubeconfig, settle: "100ms", request_timeout: "1m" };
  app = await startTestApp(database.url, folder, { kubernetes });
});
afterAll(async () => {
  await app?.stop();
  await kubelet?.stop();
  await cluster?.stop();
  await database?.drop();
  await clearFolder(folder);
});

async function awoooi(...argv: string[]) {
  let stdout = "";
  let stderr = "";
  const code = await runCli(argv, {
    env: { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN },
    stdin: process.stdin,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    isTTY: false,
  });
  return { code, stdout, stderr };
}

describe("awoooi diagnose, on a real cluster", () => {
  it("says what is wrong with a deployment, to any viewer, and is in the audit", async () => {
    const namespace = await cluster.namespace();
    const apps = cluster.admin.makeApiClient(AppsV1Api);
    await apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", "web:missing", 1) });
    const viewer = await person(app, "vera", "viewer");
    const path = `/diagnosis?kind=deployment&name=api&namespace=${namespace}`;
    const seen = await until(async () => {
      const one = await viewer.get<Investigation>(path);
      return one.findings.some(({ code }) => code === "image_not_found") && one;
    }, "the missing image to be seen");
    expect(seen).toMatchObject({ target: { kind: "deployment", name: "api", namespace } });
    const { code, stdout } = await awoooi("diagnose", "deploy/api", "-n", namespace);
    expect(code).toBe(0);
    expect(stdout).toContain("CAUSE  The image web:missing does not exist");
    const { items } = await app.admin.get<{ items: { action: string; actor: string; data: object }[] }>(
      "/audit?limit=5",
    );
    expect(items.find(({ action }) => action === "gateway.call")).toMatchObject({
      subject: "deployment/api",
      data: { tool: "investigate", outcome: "ok", findings: expect.arrayContaining(["image_not_found"]) },
    });
  });

  it("ends with 4 where there is no such thing, and with 2 where nothing can look at it", async () => {
    const gone = await awoooi("diagnose", "deployment/nowhere", "-n", "default");
    expect(gone.code).toBe(4);
    expect(gone.stderr).toContain("cluster test has no deployment nowhere in default");
    const other = await awoooi("diagnose", "deployment/api", "--cluster", "another");
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("No configured investigator") });
  });
});

describe("an alert about what is well by now", () => {
  it("asks nobody for anything: acting would only do harm", async () => {
    const namespace = await cluster.namespace();
    const apps = cluster.admin.makeApiClient(AppsV1Api);
    await apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", "web:1", 1) });
    await until(async () => {
      const path = `/diagnosis?kind=deployment&name=api&namespace=${namespace}`;
      const { findings } = await app.admin.get<Investigation>(path);
      return findings.some(({ code }) => code === "workload_healthy");
    }, "it to be seen well");
    const labels = { alertname: "KubePodCrashLooping", severity: "warning", namespace, deployment: "api" };
    const { body } = await post(app.url, alertmanagerBody([{ labels }]));
    const incident_id = body.incident_id as string;
    const decision = await until(async () => {
      const one = await app.admin.get<{ rule_id: string }>(`/incidents/${incident_id}/decision`);
      return one.rule_id === "nothing_wrong_now" && one;
    }, "the decision by the evidence");
    expect(decision).toMatchObject({
      proposal: { operation: { kind: "none" } },
      policy: { outcome: "none" },
    });
    const { items } = await app.admin.get<{ items: { status: string }[] }>(
      `/approvals?incident_id=${incident_id}`,
    );
    expect(items.map(({ status }) => status)).toEqual(["superseded"]);
  });
});
