import { AppsV1Api, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { createClusters } from "../../src/adapters/executors/kubernetes/cluster/client.ts";
import { kubernetesConfig } from "../../src/adapters/executors/kubernetes/cluster/config.ts";
import { SCRIPT } from "../../src/adapters/executors/ssh/tasks/diagnose-script.ts";
import type { Approval } from "../../src/contract/approval.ts";
import { commandLine } from "../../src/lib/shell.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { type Cluster, startCluster } from "../support/kubernetes/cluster.ts";
import { startKubelet } from "../support/kubernetes/kubelet.ts";
import { deploymentOf } from "../support/kubernetes/objects.ts";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";
import { type Bench, startBench } from "./awoooi.ts";
import { bareSession } from "./bare-ssh.ts";
import { fixed, print, table } from "./report.ts";

const RUNS = 20;
const HOST = "web-1";
const LOOK = commandLine(["sh", "-c", SCRIPT, "sh", "=mark=", "docker", ""]);
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

const against = (value: number, floor: number) => [fixed(value, 1), fixed(value / floor, 2)] as const;
const kubernetesOf = ({ kubeconfig }: Cluster) => kubernetesConfig.parse({ kubeconfig });

const names = Array.from({ length: RUNS }, (_, at) => `web-${at}`);

/** The patch that a restart is, sent by nothing but the client library. */
async function bareRestart(apps: AppsV1Api, namespace: string, name: string): Promise<number> {
  const annotations = { "kubectl.kubernetes.io/restartedAt": new Date().toISOString() };
  const body = { spec: { template: { metadata: { annotations } } } };
  return timed(() => apps.patchNamespacedDeployment({ namespace, name, body }, MERGE));
}

/** The same through a server: from the alert to the kept outcome. */
async function restart({ server }: Bench, namespace: string, deployment: string): Promise<void> {
  const labels = { alertname: "KubePodCrashLooping", namespace, deployment, severity: "warning" };
  const { body } = await post(server.url, alertmanagerBody([{ labels }]));
  const { approval_id, plan_hash } = await until(async () => {
    const { items } = await server.admin.get<{ items: Approval[] }>(
      `/approvals?incident_id=${body.incident_id}`,
    );
    return items.find((one) => one.status === "pending");
  }, `the plan for ${deployment}`);
  await server.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
  await until(
    async () => {
      const { status } = await server.admin.get<Approval>(`/approvals/${approval_id}`);
      return /^execution_/.test(status) ? true : undefined;
    },
    `${deployment} to be restarted`,
    120,
  );
}

/** Medians in milliseconds, as the database has kept them. */
async function keptTimes({ pool }: Bench): Promise<{ act: number; whole: number }> {
  const ms = (from: string) => `extract(epoch from t.ended_at - ${from}) * 1000`;
  const { rows } = await pool.query<{ act: number; whole: number }>(
    `select percentile_cont(0.5) within group (order by ${ms("t.started_at")}) as act,
            percentile_cont(0.5) within group (order by ${ms("a.decided_at")}) as whole
       from execution_attempts t join executions e using (execution_id) join approvals a using (approval_id)
      where t.outcome = 'success'`,
  );
  return rows[0] ?? { act: 0, whole: 0 };
}

async function restarts(cluster: Cluster, bench: Bench): Promise<void> {
  const namespace = await cluster.namespace();
  const fresh = cluster.admin.makeApiClient(AppsV1Api);
  const kept = createClusters(kubernetesOf(cluster)).of()?.apps;
  if (kept === undefined) throw new Error("the cluster is configured");
  const [bare, kept_bare]: [number[], number[]] = [[], []];
  for (const name of names) {
    await fresh.createNamespacedDeployment({ namespace, body: deploymentOf(name, "crash:1", 1) });
    bare.push(await bareRestart(fresh, namespace, name));
    kept_bare.push(await bareRestart(kept, namespace, name));
    await restart(bench, namespace, name);
  }
  const floor = median(kept_bare);
  const { act, whole } = await keptTimes(bench);
  print(`restart of a deployment, median of ${RUNS}`);
  table(
    ["", "ms", "× bare"],
    [
      ["bare patch, on a connection that is kept", fixed(floor, 1), "1.00"],
      ["bare patch as the client library comes: a connection each", ...against(median(bare), floor)],
      ["act, from begin to kept outcome", ...against(act, floor)],
      ["from the last signature to the kept outcome", ...against(whole, floor)],
    ],
  );
}

async function looks(sshd: Sshd, { server }: Bench): Promise<void> {
  const path = `/diagnosis?kind=host&name=${HOST}`;
  const session = await bareSession(sshd);
  await server.admin.get(path);
  const [bare, ours]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run += 1) {
    bare.push(await timed(() => session.run(LOOK)));
    ours.push(await timed(() => server.admin.get(path)));
  }
  session.end();
  const floor = median(bare);
  print(`look at a host over SSH, median of ${RUNS}, on a connection that is kept`);
  table(
    ["", "ms", "× bare"],
    [
      ["bare session by the client library", fixed(floor, 1), "1.00"],
      ["awoooi diagnose's route", ...against(median(ours), floor)],
    ],
  );
}

/** What AWOOOI adds to a bare call: a restart on a real API server, and a look at a host over SSH. */
export async function execution(): Promise<void> {
  const cluster = await startCluster();
  const kubelet = await startKubelet(cluster, { beat: 200 });
  const sshd = await startSshd();
  const { host: address, port, user, privateKeyFile: identity_file, knownHostsFile } = sshd;
  const bench = await startBench({
    kubernetes: { kubeconfig: cluster.kubeconfig },
    ssh: { known_hosts: [knownHostsFile], hosts: [{ name: HOST, address, port, user, identity_file }] },
    execution: { max_per_hour: { target: 1_000, total: 1_000 } },
    incident: { correlation: { enabled: false } },
    // How it went on is not what is measured: the pods crash, so that there is something to restart.
    verification: { wait: 0, collect: "200ms", interval: "100ms", healthy_in_a_row: 1 },
  });
  try {
    await restarts(cluster, bench);
    await looks(sshd, bench);
  } finally {
    await bench.close();
    await sshd.stop();
    await kubelet.stop();
    await cluster.stop();
  }
}
