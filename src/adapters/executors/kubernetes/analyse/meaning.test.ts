import fc from "fast-check";
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
import { SEED } from "../../../../../test/support/random.ts";
import { exitMeaning } from "./exit-codes.ts";
import { pullFailure } from "./images.ts";
import { analyse, type Facts } from "./index.ts";
import { whyUnschedulable } from "./scheduling.ts";
import { templateChanges } from "./template-diff.ts";
import { logTail, oneLine } from "./text.ts";
import { missingConfig } from "./volumes.ts";

const find = (facts: Facts, code: string) => analyse(facts).findings.find((one) => one.code === code);

describe("images", () => {
  it.each([
    [
      'rpc error: code = NotFound desc = failed to pull "docker.io/library/x:9": not found',
      "image_not_found",
    ],
    ["manifest for x:9 not found: manifest unknown: manifest unknown", "image_not_found"],
    ["pull access denied for x, repository does not exist or may require 'docker login'", "image_denied"],
    ["failed to fetch anonymous token: unexpected status: 401 Unauthorized", "image_denied"],
    ["no basic auth credentials", "image_denied"],
    ["toomanyrequests: You have reached your pull rate limit", "image_rate_limited"],
    ["dial tcp 10.0.0.1:443: i/o timeout", "image_registry_unreachable"],
    ["x509: certificate signed by unknown authority", "image_registry_unreachable"],
    ["unexpected status from HEAD request: 503 Service Unavailable", "image_registry_unreachable"],
    ["no space left on device", "image_pull_failed"],
  ])("%s: %s", (said, code) => {
    expect(pullFailure("ErrImagePull", said, "x:9")).toBe(code);
  });

  it("does not take the image's own name for what was said", () => {
    const image = "registry.example/denied/429:1";
    expect(pullFailure("ErrImagePull", `"${image}": not found`, image)).toBe("image_not_found");
  });

  it("asks the events where the container only says that it waits", () => {
    const pods = [podOf(waits("ImagePullBackOff", 'Back-off pulling image "web:1"'))];
    const events = [
      eventOf("Pod", "api-1", "Failed", 'Failed to pull image "web:1": dial tcp: no such host'),
    ];
    expect(find(factsOf({ pods, events }), "image_registry_unreachable")?.title).toBe(
      "The registry of the image web:1 cannot be reached",
    );
  });
});

describe("exit codes", () => {
  it.each([
    [0, "must keep running"],
    [1, "general error"],
    [126, "cannot be executed"],
    [127, "not found in the image"],
    [137, "SIGKILL"],
    [139, "SIGSEGV"],
    [143, "SIGTERM"],
    [160, "specific to the program"],
    [42, "specific to the program"],
  ])("%i: %s", (code, words) => {
    expect(exitMeaning(code)).toContain(words);
  });
});

describe("scheduling", () => {
  it.each([
    ["0/3 nodes are available: 3 Insufficient cpu.", "too little CPU is left"],
    [
      "0/3 nodes are available: 1 node(s) had taint {a: b}, that the pod didn't tolerate, 2 Insufficient memory.",
      "too little memory is left; nodes have taints that it does not tolerate",
    ],
    [
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
      "no node has the labels",
    ],
    ["0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.", "anti-affinity"],
    ['persistentvolumeclaim "data" not found', "its volume does not exist"],
    ["0/2 nodes are available: 2 node(s) had volume node affinity conflict.", "its volume does not exist"],
    ["0/2 nodes are available: 2 Too many pods.", "their limit of pods"],
    ["0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.", "host port"],
    ["0/2 nodes are available: 2 node(s) were unschedulable.", "cordoned"],
    ["0/1 nodes are available: 1 Insufficient nvidia.com/gpu.", "a resource that it requests"],
    [
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Too many pods.",
      "too little CPU is left",
    ],
  ])("%s", (message, why) => {
    expect(whyUnschedulable(message).why).toContain(why);
  });

  it("takes an ordinary affinity and an anti-affinity apart, and what is said of preemption not at all", () => {
    expect(whyUnschedulable("2 node(s) didn't match pod anti-affinity rules.").why).not.toContain("labels");
    expect(whyUnschedulable("1 Insufficient cpu. preemption: 1 Too many pods.").why).toBe(
      "too little CPU is left",
    );
  });
});

describe("missing configuration", () => {
  it.each([
    ['configmap "api-config" not found', "The config map api-config does not exist"],
    [
      'MountVolume.SetUp failed for volume "tls" : secret "api-tls" not found',
      "The secret api-tls does not exist",
    ],
    ["couldn't find key url in ConfigMap prod/api", "The key url is not in the config map prod/api"],
    ["references non-existent secret key: tls.key", "The key tls.key is not in its source"],
    ["something else", undefined],
  ])("%s", (said, title) => {
    expect(missingConfig(said)?.title).toBe(title);
  });
});

describe("what changed between two revisions", () => {
  const changes = (old: object, young: object, more: [object, object] = [{}, {}]) =>
    templateChanges(templateOf(old, more[0]), templateOf(young, more[1])).map(({ text }) => text);

  it("is told by its parts, and never with a value of the environment", () => {
    const old = {
      image: "web:1",
      env: [
        { name: "A", value: "hunter2" },
        { name: "B", value: "x" },
      ],
    };
    const young = {
      image: "web:2",
      command: ["serve"],
      env: [
        { name: "A", value: "hunter3" },
        { name: "C", value: "y" },
      ],
      resources: { limits: { memory: "64Mi" } },
    };
    const told = changes(old, young);
    expect(told).toEqual([
      "container main: image web:1 → web:2",
      "container main: command of the image → serve",
      "container main: environment A changed, B removed, C added",
      "container main: limits of memory none → 64Mi",
    ]);
    expect(told.join()).not.toContain("hunter");
  });

  it("is nothing where it was only restarted", () => {
    const restarted = {
      ...templateOf(),
      metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": "now" } },
    };
    expect(templateChanges(templateOf(), restarted)).toEqual([]);
  });

  it("names placement, volumes and init containers", () => {
    expect(
      changes({}, {}, [
        {},
        { affinity: {}, dnsPolicy: "None", initContainers: [{ name: "wait", image: "w:1" }] },
      ]),
    ).toEqual(["init container wait added, image w:1", "affinity changed", "DNS policy changed"]);
  });
});

describe("a bad rollout", () => {
  const young = (template = templateOf({ image: "web:2" }), seconds = 600) =>
    revisionOf(2, "new", seconds, template);
  const old = revisionOf(1, "old", 999_999);
  const failing = podOf({ name: "api-2", hash: "new", ...waits("ErrImagePull", "not found") });
  const serving = podOf({ name: "api-1", hash: "old" });

  it("names what changed, what fails and what still serves", () => {
    const bad = find(factsOf({ revisions: [young(), old], pods: [failing, serving] }), "bad_rollout");
    expect(bad?.title).toBe(
      "Revision 2, rolled out 10 min ago, does not work: container main: image web:1 → web:2",
    );
    expect(bad?.meaning).toBe(
      "Its pods fail (image_not_found) and those of revision 1 did not; 1 pod of revision 1 still serves. Rolling back reverts the change.",
    );
    expect(bad?.evidence.length).toBeGreaterThanOrEqual(3);
  });

  it.each([
    ["there is no revision before it", { revisions: [young()], pods: [failing] }],
    [
      "what changed cannot be the reason",
      { revisions: [young(templateOf({ command: ["x"] })), old], pods: [failing, serving] },
    ],
    ["it was only restarted", { revisions: [young(templateOf()), old], pods: [failing, serving] }],
    [
      "it was long ago and nothing else serves",
      { revisions: [young(undefined, 100_000), old], pods: [failing] },
    ],
    [
      "the older revision has the same trouble",
      {
        revisions: [young(), old],
        pods: [failing, podOf({ name: "api-1", hash: "old", ...waits("ErrImagePull", "not found") })],
      },
    ],
    [
      "the trouble is a node's",
      {
        revisions: [young(), old],
        pods: [podOf({ name: "api-2" }), serving],
        nodes: [nodeOf({ Ready: "Unknown" })],
      },
    ],
  ] as [string, Partial<Facts>][])("is not what it is called where %s", (_why, values) => {
    expect(find(factsOf(values), "bad_rollout")).toBeUndefined();
  });

  it("is found although nothing of the old revision is left, when it was just now", () => {
    const crashing = podOf({ name: "api-2", status: ended(1, 30, { state: LOOPING }) });
    const bad = find(factsOf({ revisions: [young(), old], pods: [crashing] }), "bad_rollout");
    expect(bad?.meaning).toContain("no pod of revision 1 is left");
  });

  it("takes pods that cannot be placed only where it changed what they ask for", () => {
    const message = "0/2 nodes are available: 2 Insufficient memory.";
    const stuck = podOf({
      name: "api-2",
      node: null,
      pod: { conditions: [{ type: "PodScheduled", status: "False", message }] },
    });
    const larger = templateOf({ resources: { requests: { memory: "64Gi" } } });
    expect(
      find(factsOf({ revisions: [young(larger), old], pods: [stuck, serving] }), "bad_rollout"),
    ).toBeDefined();
    expect(
      find(factsOf({ revisions: [young(), old], pods: [stuck, serving] }), "bad_rollout"),
    ).toBeUndefined();
  });
});

describe("findings", () => {
  it("are one for many pods with the same trouble", () => {
    const pods = Array.from({ length: 20 }, (_, n) =>
      podOf({ name: `api-${n}`, status: ended(1, 60, { state: LOOPING, restartCount: 2 }) }),
    );
    const { findings, evidence } = analyse(
      factsOf({ pods, workload: deploymentOf({ readyReplicas: 0 }, { replicas: 20 }) }),
    );
    expect(findings.map(({ code, weight }) => [code, weight])).toEqual([
      ["crash_loop", "cause"],
      ["replicas_unready", "symptom"],
    ]);
    expect(findings[0]?.title).toBe(
      "Container main of 20 pods (api-0, api-1, api-2 and 17 more) ends again and again with exit code 1",
    );
    expect(findings[0]?.meaning).toContain("40 restarts");
    expect(evidence.length).toBeLessThan(6);
  });

  it("have causes first; a crash loop that its memory explains is a symptom", () => {
    const status = ended(137, 60, { state: LOOPING }, "OOMKilled");
    const pods = [podOf({ status, container: { resources: { limits: { memory: "64Mi" } } } })];
    expect(analyse(factsOf({ pods })).findings.map(({ code, weight }) => [code, weight])).toEqual([
      ["out_of_memory", "cause"],
      ["crash_loop", "symptom"],
    ]);
  });

  it("show the end of the log of what crashed, from before it ended", () => {
    const pods = [podOf({ status: ended(1, 60, { state: LOOPING }) })];
    const logs = [
      { pod: "api-1", container: "main", previous: false, text: "starting\n" },
      {
        pod: "api-1",
        container: "main",
        previous: true,
        text: "connecting\nFATAL: no database, password=hunter2secret\n",
      },
    ];
    const { evidence } = analyse(factsOf({ pods, logs }));
    expect(evidence.at(-1)?.text).toBe(
      "log before it last ended, container main:\nconnecting\nFATAL: no database, password=[redacted]",
    );
  });

  it("say what a probe asked and was answered", () => {
    const pods = [
      podOf({
        container: { readinessProbe: { httpGet: { port: 8080, path: "/ready" } } },
        status: { state: RUNNING, started: true },
      }),
    ];
    const message = 'Readiness probe failed: Get "http://10.0.0.1:8080/ready": connection refused';
    const events = [eventOf("Pod", "api-1", "Unhealthy", message)];
    expect(find(factsOf({ pods, events }), "readiness_probe_failing")?.title).toBe(
      'The readiness probe (GET :8080/ready) of container main fails in pod api-1: Get "http://10.0.0.1:8080/ready": connection refused',
    );
  });
});

describe("probes", () => {
  it("that failed long ago are not what is wrong now", () => {
    const pods = [podOf({ status: { state: RUNNING, started: true } })];
    const failed = (seconds: number) =>
      factsOf({
        pods,
        events: [eventOf("Pod", "api-1", "Unhealthy", "Readiness probe failed: no", seconds)],
      });
    expect(find(failed(60), "readiness_probe_failing")).toBeDefined();
    expect(find(failed(9_999), "readiness_probe_failing")).toBeUndefined();
  });
});

describe("what strangers wrote", () => {
  it("is one visible line, without credentials, and clipped", () => {
    expect(oneLine("a\u001b[31mred\u001b[0m\n\u0007b\u202e token=abcdefgh")).toBe("ared b token=[redacted]");
    expect(oneLine("x".repeat(1_000_000))).toHaveLength(400);
  });

  it("is of a log at most 20 lines and 2,000 characters", () => {
    const tail = logTail(Array.from({ length: 500 }, (_, n) => `line ${n} ${"y".repeat(250)}`).join("\n"));
    expect(tail.length).toBeLessThanOrEqual(2_000);
    expect(tail.endsWith("y")).toBe(true);
    expect(logTail("a\n".repeat(100)).split("\n")).toHaveLength(20);
    expect(logTail("\u001b]0;title\u0007done\n")).toBe("done");
  });
});

describe("whatever the facts", () => {
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom("not found", "exceeded quota: q", "\u001b[2J", 'secret "x" not found'),
  );
  const state = fc.constantFrom(
    { waiting: { reason: "ErrImagePull", message: "denied" } },
    { waiting: {} },
    { running: { startedAt: earlier(600) } },
    { terminated: { exitCode: 3, finishedAt: earlier(9) } },
    LOOPING,
    {},
  );
  const pod = fc.record({
    name: text,
    hash: fc.constantFrom("new", "old"),
    restartCount: fc.nat(9),
    state,
    phase: text,
    message: text,
  });
  const event = fc.tuple(
    fc.constantFrom("Pod", "ReplicaSet", "Node", "Job"),
    text,
    fc.constantFrom("Unhealthy", "FailedMount", "FailedCreate", "Failed", "SystemOOM"),
    text,
  );

  it("every finding cites evidence that is there, and has a title and a meaning", () => {
    const property = fc.property(fc.array(pod), fc.array(event), fc.nat(3), (pods, events, replicas) => {
      const facts = factsOf({
        pods: pods.map(({ name, hash, restartCount, state: is, phase, message }) =>
          podOf({ name, hash, status: ended(1, 30, { restartCount, state: is }), pod: { phase, message } }),
        ),
        events: events.map((one) => eventOf(...one)),
        revisions: [
          { ...revisionOf(2, "new", 60, templateOf({ image: "web:2" })), failure: "denied" },
          revisionOf(1, "old", 99),
        ],
        workload: deploymentOf({ readyReplicas: replicas }, { replicas: 2 }),
      });
      const { evidence, findings } = analyse(facts);
      const ids = evidence.map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      for (const one of findings) {
        expect(one.title.trim() && one.meaning.trim()).not.toBe("");
        expect(one.evidence.length).toBeGreaterThan(0);
        expect(one.evidence.every((id) => ids.includes(id))).toBe(true);
        expect(`${one.title}${one.meaning}`).not.toMatch(/\p{Cc}/u);
      }
    });
    fc.assert(property, { seed: SEED });
  });
});
