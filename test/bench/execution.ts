import { AppsV1Api, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { SCRIPT } from "../../src/adapters/executors/ssh/diagnose-script.ts";
import type { Approval } from "../../src/contract/approval.ts";
import { commandLine } from "../../src/lib/shell.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { type Cluster, startCluster } from "../support/kubernetes/cluster.ts";
import { startKubelet } from "../support/kubernetes/kubelet.ts";
import { deploymentOf } from "../support/kubernetes/objects.ts";
import { startSshd } from "../support/sshd.ts";
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

const names = Array.from({ length: RUNS }, (_, at) => `web-${at}`);

/** The patch that a restart is, sent by the client library alone. */
async function bareRestarts(cluster: Cluster, namespace: string): Promise<number> {
  const apps = cluster.admin.makeApiClient(AppsV1Api);
  const annotations = () => ({ "kubectl.kubernetes.io/restartedAt": new Date().toISOString() });
  const times: number[] = [];
  for (const name of names) {
    const body = { spec: { template: { metadata: { annotations: annotations() } } } };
    times.push(await timed(() => apps.patchNamespacedDeployment({ namespace, name, body }, MERGE)));
  }
  return median(times);
}

/** The same through a server: from alert to act, one after the other. */
async function restarts({ server, pool }: Bench, namespace: string): Promise<{ act: number; whole: number }> {
  for (const deployment of names) {
    const labels = { alertname: "KubePodCrashLooping", namespace, deployment, severity: "warning" };
    const { body } = await post(server.url, alertmanagerBody([{ labels }]));
    const id = body.incident_id as string;
    const pending = await until(async () => {
      const { items } = await server.admin.get<{ items: Approval[] }>(`/approvals?incident_id=${id}`);
      return items.find((one) => one.status === "pending");
    }, `the plan for ${deployment}`);
    const { approval_id, plan_hash } = pending;
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
  const ms = (from: string) => `extract(epoch from t.ended_at - ${from}) * 1000`;
  const { rows } = await pool.query<{ act: number; whole: number }>(
    `select percentile_cont(0.5) within group (order by ${ms("t.started_at")}) as act,
            percentile_cont(0.5) within group (order by ${ms("a.decided_at")}) as whole
       from execution_attempts t join executions e using (execution_id) join approvals a using (approval_id)
      where t.outcome = 'success'`,
  );
  return rows[0] ?? { act: 0, whole: 0 };
}

/** What AWOOOI adds to a bare call: a restart on a real API server, and a look at a host over SSH. */
export async function execution(): Promise<void> {
  const cluster = await startCluster();
  const kubelet = await startKubelet(cluster, { beat: 200 });
  const sshd = await startSshd();
  const bench = await startBench({
    kubernetes: { kubeconfig: cluster.kubeconfig, settle: 0 },
    ssh: {
      known_hosts: [sshd.knownHostsFile],
      hosts: [
        {
          name: HOST,
          address: sshd.host,
          port: sshd.port,
          user: sshd.user,
          identity_file: sshd.privateKeyFile,
        },
      ],
    },
    execution: { max_per_hour: { target: 1_000, total: 1_000 } },
    incident: { correlation: { enabled: false } },
    verification: { wait: 0, collect: "200ms", interval: "100ms", healthy_in_a_row: 1 },
  });
  try {
    const namespace = await cluster.namespace();
    const apps = cluster.admin.makeApiClient(AppsV1Api);
    for (const name of names)
      await apps.createNamespacedDeployment({ namespace, body: deploymentOf(name, "crash:1", 1) });
    const bare = await bareRestarts(cluster, namespace);
    const { act, whole } = await restarts(bench, namespace);
    print(`restart of a deployment, median of ${RUNS}`);
    table(
      ["", "ms", "× bare"],
      [
        ["bare patch by the client library", fixed(bare, 1), "1.00"],
        ["act, from begin to kept outcome", fixed(act, 1), fixed(act / bare, 2)],
        ["from the last signature to the kept outcome", fixed(whole, 1), fixed(whole / bare, 2)],
      ],
    );
    const path = `/diagnosis?kind=host&name=${HOST}`;
    await bench.server.admin.get(path);
    const ours: number[] = [];
    const each: number[] = [];
    const kept = await bareSession(sshd);
    for (let run = 0; run < RUNS; run += 1) {
      each.push(await timed(() => kept.run(LOOK)));
      ours.push(await timed(() => bench.server.admin.get(path)));
    }
    kept.end();
    const floor = median(each);
    print(`look at a host over SSH, median of ${RUNS}, on a connection that is kept`);
    table(
      ["", "ms", "× bare"],
      [
        ["bare session by the client library", fixed(floor, 1), "1.00"],
        ["awoooi diagnose's route", fixed(median(ours), 1), fixed(median(ours) / floor, 2)],
      ],
    );
  } finally {
    await bench.close();
    await sshd.stop();
    await kubelet.stop();
    await cluster.stop();
  }
}
