import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  deploymentOf,
  earlier,
  ended,
  eventOf,
  factsOf,
  LOOPING,
  nodeOf,
  podOf,
  RUNNING,
  revisionOf,
  templateOf,
  waits,
} from "../../../../../test/support/kubernetes/facts.ts";
import { analyse, CODES, type Facts, type FindingCode } from "./index.ts";

const codesOf = (facts: Facts) => analyse(facts).findings.map(({ code }) => code);

const pull = (message: string) => factsOf({ pods: [podOf(waits("ErrImagePull", message))] });
const config = (message: string) => factsOf({ pods: [podOf(waits("CreateContainerConfigError", message))] });
const probe = (kind: string) => ({ [`${kind}Probe`]: { httpGet: { port: 8080, path: "/healthz" } } });
const unhealthy = (kind: string, status: object) =>
  factsOf({
    pods: [podOf({ container: probe(kind), status })],
    events: [
      eventOf("Pod", "api-1", "Unhealthy", `${kind} probe failed: HTTP probe failed with statuscode: 503`),
    ],
  });
const SHORT = deploymentOf({ readyReplicas: 0, updatedReplicas: 1 });
const refused = (message: string) =>
  factsOf({ workload: SHORT, pods: [], revisions: [{ ...revisionOf(1, "new", 60), failure: message }] });
const job = (conditions: object[], spec: object = {}): Partial<Facts> => ({
  workload: null,
  target: { kind: "job", name: "nightly", namespace: "prod" },
  pods: [
    podOf({
      name: "nightly-1",
      status: { state: { terminated: { exitCode: 2, finishedAt: earlier(60) } } },
      pod: { phase: "Failed" },
      meta: { labels: { "job-name": "nightly" } },
    }),
  ],
  jobs: [
    {
      metadata: { name: "nightly" },
      spec: { template: {}, ...spec },
      status: { failed: 1, conditions },
    } as never,
  ],
});
const scaler = (more: object) =>
  factsOf({
    autoscalers: [{ name: "api", min: 1, max: 3, current: 1, desired: 1, conditions: [], ...more }],
  });
const claimOf = (phase: string) =>
  factsOf({
    target: { kind: "persistentvolumeclaim", name: "data", namespace: "prod" },
    workload: null,
    pods: [podOf(waits("CrashLoopBackOff"))],
    users: ["deployment api"],
    claims: [
      {
        metadata: { name: "data" },
        spec: { volumeName: "pv-1" },
        status: { phase, capacity: { storage: "1Gi" } },
      },
    ],
  });
const service = (spec: object, ready: number | null, unready = 0) => ({
  service: { metadata: { name: "api" }, spec: { selector: { app: "api" }, ports: [{ port: 80 }], ...spec } },
  ready,
  unready,
});
const listening = (containerPort: number) =>
  podOf({ container: { ports: [{ name: "http", containerPort }] } });
const claim = (phase: string) => ({
  metadata: { name: "data" },
  spec: { storageClassName: "fast" },
  status: { phase },
});
const certificate = (days: number, ready = true) =>
  factsOf({ certificates: [{ name: "web", not_after: earlier(-days * 86_400), ready, message: "" }] });
const cron = (spec: object) => ({
  target: { kind: "cronjob", name: "nightly", namespace: "prod" },
  workload: null,
  pods: [],
  cron_job: { metadata: { name: "nightly" }, spec: { schedule: "0 3 * * *", ...spec } } as never,
});
const rolledOut = (seconds: number) => ({
  revisions: [
    revisionOf(2, "new", seconds, templateOf({ image: "web:2" })),
    revisionOf(1, "old", 999_999, templateOf({ image: "web:1" })),
  ],
});

/** For every code: facts that show it, and facts beside them that do not. */
const CASES: Record<FindingCode, [shows: Facts, not: Facts]> = {
  bad_rollout: [
    factsOf({
      ...rolledOut(600),
      pods: [podOf(waits("CrashLoopBackOff")), podOf({ name: "api-0", hash: "old" })],
    }),
    factsOf({
      ...rolledOut(600),
      pods: [podOf(), podOf({ name: "api-0", hash: "old", ...waits("CrashLoopBackOff") })],
    }),
  ],
  image_not_found: [
    pull("rpc error: code = NotFound desc = web:1: not found"),
    pull("toomanyrequests: slow down"),
  ],
  image_denied: [
    pull("pull access denied, repository does not exist or may require authorization"),
    pull("manifest unknown"),
  ],
  image_rate_limited: [
    pull("429 Too Many Requests - You have reached your pull rate limit"),
    pull("401 Unauthorized"),
  ],
  image_registry_unreachable: [pull("dial tcp: lookup registry.example: no such host"), pull("not found")],
  image_name_invalid: [
    factsOf({ pods: [podOf(waits("InvalidImageName", "couldn't parse image reference"))] }),
    pull("not found"),
  ],
  image_pull_failed: [pull("something else"), pull("not found")],
  config_map_missing: [config('configmap "api-config" not found'), config('secret "api" not found')],
  secret_missing: [config('secret "api" not found'), config('configmap "api" not found')],
  config_key_missing: [
    config("couldn't find key url in ConfigMap prod/api-config"),
    config('secret "api" not found'),
  ],
  container_config_invalid: [
    config("container has runAsNonRoot and image will run as root"),
    config('secret "api" not found'),
  ],
  out_of_memory: [
    factsOf({
      pods: [
        podOf({
          container: { resources: { limits: { memory: "64Mi" } } },
          status: ended(137, 60, { state: LOOPING }, "OOMKilled"),
        }),
      ],
    }),
    factsOf({ pods: [podOf({ status: ended(137, 60, { state: LOOPING }) })] }),
  ],
  node_out_of_memory: [
    factsOf({ pods: [podOf({ status: ended(137, 60, { state: LOOPING }, "OOMKilled") })] }),
    factsOf({ pods: [podOf({ status: ended(137, 99_999, { state: RUNNING, ready: true }, "OOMKilled") })] }),
  ],
  quota_exceeded: [
    refused(
      'pods "api-new-x" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=4, limited: cpu=4',
    ),
    refused("admission webhook denied the request"),
  ],
  limit_range_violated: [
    refused('pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 2'),
    refused('pods "x" is forbidden: exceeded quota: q'),
  ],
  admission_refused: [
    refused('admission webhook "policy.example" denied the request: no latest tags'),
    // What was refused once, while everything is there now.
    factsOf({
      revisions: [{ ...revisionOf(1, "new", 60), failure: "admission webhook denied the request" }],
    }),
  ],
  admission_webhook_failing: [
    refused('Internal error occurred: failed calling webhook "policy.example": connection refused'),
    refused("denied the request"),
  ],
  service_account_missing: [
    refused('error looking up service account prod/api: serviceaccount "api" not found'),
    refused("denied the request"),
  ],
  pod_creation_failed: [refused("etcdserver: request timed out"), refused("denied the request")],
  volume_pending: [
    factsOf({
      claims: [claim("Pending")],
      events: [
        eventOf(
          "PersistentVolumeClaim",
          "data",
          "ProvisioningFailed",
          'storageclass.storage.k8s.io "fast" not found',
        ),
      ],
    }),
    factsOf({ claims: [claim("Bound")] }),
  ],
  volume_mount_failed: [
    factsOf({
      pods: [podOf(waits("ContainerCreating"))],
      events: [
        eventOf("Pod", "api-1", "FailedMount", 'MountVolume.SetUp failed for volume "data" : timed out'),
      ],
    }),
    factsOf({
      events: [eventOf("Pod", "api-1", "FailedMount", 'MountVolume.SetUp failed for volume "data"')],
    }),
  ],
  pod_sandbox_failed: [
    factsOf({
      pods: [podOf(waits("ContainerCreating"))],
      events: [eventOf("Pod", "api-1", "FailedCreatePodSandBox", "failed to set up network for sandbox")],
    }),
    factsOf({ pods: [podOf(waits("ContainerCreating"))] }),
  ],
  unschedulable: [
    factsOf({
      pods: [
        podOf({
          node: null,
          pod: {
            conditions: [
              {
                type: "PodScheduled",
                status: "False",
                message: "0/3 nodes are available: 3 Insufficient cpu.",
              },
            ],
          },
        }),
      ],
    }),
    factsOf({ pods: [podOf(waits("ContainerCreating"))] }),
  ],
  node_not_ready: [factsOf({ nodes: [nodeOf({ Ready: "Unknown" })] }), factsOf({ nodes: [nodeOf()] })],
  node_disk_pressure: [
    factsOf({ nodes: [nodeOf({ DiskPressure: "True" })] }),
    factsOf({ nodes: [nodeOf({ DiskPressure: "False" })] }),
  ],
  node_memory_pressure: [
    factsOf({ nodes: [nodeOf({ MemoryPressure: "True" })] }),
    factsOf({ nodes: [nodeOf({ MemoryPressure: "False" })] }),
  ],
  node_pid_pressure: [
    factsOf({ nodes: [nodeOf({ PIDPressure: "True" })] }),
    factsOf({ nodes: [nodeOf({ PIDPressure: "Unknown" })] }),
  ],
  node_network_unavailable: [
    factsOf({ nodes: [nodeOf({ NetworkUnavailable: "True" })] }),
    factsOf({ nodes: [nodeOf({ NetworkUnavailable: "False" })] }),
  ],
  pods_evicted: [
    factsOf({
      pods: [
        podOf({
          pod: {
            phase: "Failed",
            reason: "Evicted",
            startTime: earlier(600),
            message: "The node was low on resource: memory. ",
          },
        }),
      ],
    }),
    factsOf({
      pods: [
        podOf({
          pod: {
            phase: "Failed",
            reason: "Evicted",
            startTime: earlier(999_999),
            message: "low on resource: memory",
          },
        }),
      ],
    }),
  ],
  init_container_waiting: [
    factsOf({ pods: [podOf({ init: { status: { state: RUNNING } } })] }),
    factsOf({ pods: [podOf({ init: { spec: { restartPolicy: "Always" }, status: { state: RUNNING } } })] }),
  ],
  liveness_probe_failing: [
    unhealthy("Liveness", ended(137, 60, { state: RUNNING })),
    unhealthy("Liveness", ended(137, 9_999, { state: RUNNING, ready: true })),
  ],
  startup_probe_failing: [
    unhealthy("Startup", { state: RUNNING, started: false }),
    unhealthy("Startup", { state: RUNNING, started: true, ready: true }),
  ],
  crash_loop: [
    factsOf({ pods: [podOf({ status: ended(1, 60, { state: LOOPING }) })] }),
    factsOf({ pods: [podOf({ status: ended(1, 60, { state: RUNNING, ready: true }) })] }),
  ],
  readiness_probe_failing: [
    unhealthy("Readiness", { state: RUNNING, started: true }),
    unhealthy("Readiness", { state: RUNNING, ready: true }),
  ],
  service_selector_mismatch: [
    factsOf({ services: [service({ selector: { app: "apy" } }, 0)] }),
    factsOf({ services: [service({}, 1)] }),
  ],
  service_port_mismatch: [
    factsOf({ pods: [listening(8080)], services: [service({ ports: [{ port: 80, targetPort: 9090 }] }, 1)] }),
    factsOf({
      pods: [listening(8080)],
      services: [service({ ports: [{ port: 80, targetPort: "http" }] }, 1)],
    }),
  ],
  job_failed: [
    factsOf(job([{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }])),
    factsOf(job([{ type: "Complete", status: "True" }])),
  ],
  job_deadline_exceeded: [
    factsOf(job([{ type: "Failed", status: "True", reason: "DeadlineExceeded" }])),
    factsOf(job([{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }])),
  ],
  cron_job_missed: [
    factsOf({
      ...cron({}),
      events: [eventOf("CronJob", "nightly", "MissSchedule", "Missed scheduled time")],
    }),
    factsOf({ ...cron({}), events: [eventOf("CronJob", "nightly", "MissSchedule", "Missed", 99_999)] }),
  ],
  cron_job_suspended: [factsOf(cron({ suspend: true })), factsOf(cron({ suspend: false }))],
  job_suspended: [factsOf(job([], { suspend: true })), factsOf(job([]))],
  certificate_expired: [certificate(-1), certificate(30)],
  certificate_not_ready: [certificate(30, false), certificate(30)],
  certificate_expiring: [certificate(5), certificate(30)],
  scaled_to_zero: [factsOf({ workload: deploymentOf({}, { replicas: 0 }), pods: [] }), factsOf()],
  stuck_terminating: [
    factsOf({
      pods: [podOf({ meta: { deletionTimestamp: earlier(600), finalizers: ["example.com/hold"] } })],
    }),
    factsOf({ pods: [podOf({ meta: { deletionTimestamp: earlier(5) } })] }),
  ],
  restarted_lately: [
    factsOf({ pods: [podOf({ status: ended(1, 600, { state: RUNNING, ready: true }) })] }),
    factsOf({ pods: [podOf({ status: ended(1, 9_999, { state: RUNNING, ready: true }) })] }),
  ],
  rollout_stalled: [
    factsOf({
      workload: deploymentOf({
        conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }],
      }),
    }),
    factsOf({
      workload: deploymentOf({
        conditions: [{ type: "Progressing", status: "True", reason: "NewReplicaSetAvailable" }],
      }),
    }),
  ],
  service_without_endpoints: [
    factsOf({ pods: [podOf(waits("CrashLoopBackOff"))], services: [service({}, 0, 1)] }),
    factsOf({ services: [service({}, null)] }),
  ],
  replicas_unready: [factsOf({ workload: SHORT }), factsOf()],
  rollout_paused: [factsOf({ workload: deploymentOf({}, { paused: true }) }), factsOf()],
  autoscaler_at_max: [scaler({ current: 3 }), scaler({ current: 2 })],
  autoscaler_without_metrics: [
    scaler({ conditions: [{ type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" }] }),
    scaler({ conditions: [{ type: "ScalingActive", status: "False", reason: "ScalingDisabled" }] }),
  ],
  disruption_budget_blocks: [
    factsOf({ budgets: [{ name: "api", allowed: 0, healthy: 1, desired: 1 }] }),
    factsOf({ budgets: [{ name: "api", allowed: 1, healthy: 2, desired: 1 }] }),
  ],
  volume_in_use: [claimOf("Bound"), claimOf("Pending")],
  node_cordoned: [factsOf({ nodes: [nodeOf({}, { unschedulable: true })] }), factsOf({ nodes: [nodeOf()] })],
  recent_rollout: [factsOf(rolledOut(600)), factsOf(rolledOut(100_000))],
  no_recent_rollout: [factsOf(rolledOut(100_000)), factsOf(rolledOut(600))],
  workload_healthy: [
    factsOf(),
    factsOf({ pods: [podOf({ status: ended(1, 600, { state: RUNNING, ready: true }) })] }),
  ],
};

const TABLE = Object.entries(CASES) as [FindingCode, [Facts, Facts]][];

describe("every code", () => {
  it.each(TABLE)("%s is found where it is, and only there", (code, [shows, not]) => {
    expect(codesOf(shows)).toContain(code);
    expect(codesOf(not)).not.toContain(code);
  });

  it.each(TABLE)("%s is well formed: it cites evidence that is there, in one line", (_code, cases) => {
    for (const { evidence, findings } of cases.map(analyse)) {
      const ids = new Set(evidence.map(({ id }) => id));
      for (const { evidence: cited, title, meaning } of findings) {
        expect(cited.length).toBeGreaterThan(0);
        expect(cited.filter((id) => !ids.has(id))).toEqual([]);
        for (const text of [title, meaning]) {
          expect(text).toMatch(/^[A-Z0-9]|^web|^api/);
          expect(text).not.toMatch(/undefined|\[object|NaN|\n/);
          expect(text.length).toBeLessThan(600);
        }
      }
      for (const { text, subject } of evidence)
        expect(`${subject} ${text}`).not.toMatch(/undefined|\[object|NaN/);
    }
  });

  it("is in its documentation, row by row", () => {
    const page = readFileSync(join(import.meta.dirname, "../../../../../docs/reference/findings.md"), "utf8");
    const [, section = ""] = page.split(/^## .*$/m);
    const rows = [...section.matchAll(/^\| <a id="(\w+)"><\/a>`(\w+)` \| (\w+) \|/gm)].map(
      ([, ...row]) => row,
    );
    expect(rows).toEqual(Object.entries(CODES).map(([code, weight]) => [code, code, weight]));
  });
});

it("says of a job that failed which cron job it is a run of", () => {
  const failed = job([{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }]);
  const [one] = failed.jobs ?? [];
  const owner = { apiVersion: "batch/v1", kind: "CronJob", name: "backup", uid: "1", controller: true };
  const jobs = [{ ...one, metadata: { ...one?.metadata, ownerReferences: [owner] } }];
  const { evidence, findings } = analyse(factsOf({ ...failed, jobs }));
  const made = evidence.find(({ text }) => text === "is a run of cron job backup");
  expect(findings[0]).toMatchObject({ code: "job_failed", evidence: expect.arrayContaining([made?.id]) });
});

it("does not say of a claim that it is well because what mounts it is", () => {
  expect(codesOf({ ...claimOf("Bound"), pods: [podOf()] })).toEqual(["volume_in_use"]);
});

it("says that a workload is healthy only where all of it was seen to be", () => {
  expect(codesOf(factsOf({ pods: [], workload: null }))).not.toContain("workload_healthy");
  expect(codesOf(factsOf({ pods: [] }))).not.toContain("workload_healthy");
  expect(codesOf(factsOf({ workload: deploymentOf({ updatedReplicas: 0 }) }))).not.toContain(
    "workload_healthy",
  );
  expect(codesOf(factsOf({ workload: deploymentOf({ observedGeneration: 0 }) }))).not.toContain(
    "workload_healthy",
  );
  const node = {
    target: { kind: "node", name: "node-1" },
    workload: null,
    pods: [podOf(waits("CrashLoopBackOff"))],
  };
  expect(codesOf(factsOf({ ...node, nodes: [nodeOf()] }))).toEqual(["workload_healthy"]);
  expect(codesOf(factsOf({ ...node, nodes: [nodeOf({ Ready: "False" })] }))).toEqual(["node_not_ready"]);
});
