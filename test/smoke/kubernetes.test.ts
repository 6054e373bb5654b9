import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunningApp } from "../../src/app/app.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { approvalIn, type Client, concluded, incidentIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { temporaryFolder } from "../support/folder.ts";
import { operationOf, type Stage, startStage, well } from "../support/kubernetes/adapter.ts";
import { deploymentOf } from "../support/kubernetes/objects.ts";

let stage: Stage;
let database: TestDatabase;
let folder: string;
let app: RunningApp & { admin: Client };

beforeAll(async () => {
  [stage, database, folder] = await Promise.all([
    startStage(),
    createDatabase(),
    temporaryFolder("clusters"),
  ]);
});
afterAll(async () => {
  await app?.stop();
  await Promise.all([stage?.stop(), database?.drop()]);
  await rm(folder, { recursive: true, force: true });
});

it("restarts what an alert says is down, as it was signed, and sees that it worked", async () => {
  const namespace = await stage.cluster.namespace();
  await stage.apps.createNamespacedDeployment({ namespace, body: deploymentOf("api", "web:1") });
  const target = { kind: "deployment", name: "api", namespace };
  await well(stage.adapter, operationOf({ kind: "kubernetes.rollout_restart", target, parameters: {} }));
  app = await startTestApp(database.url, folder, {
    kubernetes: { kubeconfig: stage.cluster.kubeconfig, name: "prod", settle: "100ms" },
  });
  const labels = {
    alertname: "KubePodCrashLooping",
    severity: "critical",
    cluster: "prod",
    namespace,
    deployment: "api",
  };
  const { body } = await post(app.url, alertmanagerBody([{ labels }]));
  const incident_id = String(body.incident_id);
  const approval = await approvalIn(app.admin, incident_id, "pending");
  const { dry_run_checks } = await app.admin.get<{
    dry_run_checks: { name: string; passed: boolean; message: string }[];
  }>(`/approvals/${approval.approval_id}`);
  expect(dry_run_checks.filter((one) => !one.passed)).toEqual([]);
  expect(dry_run_checks.map((one) => one.name)).toEqual(
    expect.arrayContaining(["target exists", "permission", "server-side dry-run", "rollout"]),
  );
  await app.admin.post(`/approvals/${approval.approval_id}/approve`, { plan_hash: approval.plan_hash });
  const { outcome } = await concluded(app.admin, incident_id);
  expect(outcome).toMatchObject({ execution_success: true });
  await incidentIn(app.admin, incident_id, "resolved");
  const { metadata } = await stage.apps.readNamespacedDeployment({ namespace, name: "api" });
  expect(metadata).toMatchObject({
    generation: 2,
    annotations: { "awoooi.dev/execution": expect.any(String) },
  });
});
