import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import type { Receipt, SourceAlert } from "../types.ts";
import { loadClassification } from "./classification.ts";
import { anomalyKeyOf, fingerprintOf } from "./keys.ts";
import { alertTypeOf, callOf, normalise, sourceNameOf } from "./normalise.ts";
import { subjectOf, targetNameOf } from "./subject.ts";
import { workloadOfPod } from "./vocabulary.ts";

const NOW = new Date("2026-05-04T08:00:00Z");
const CLASSIFICATION = loadClassification();
const source = (labels: Record<string, string>): SourceAlert => ({
  status: "firing",
  labels,
  annotations: {},
  starts_at: NOW,
  ends_at: null,
  source_fingerprint: null,
  generator_url: null,
});
const make = (labels: Record<string, string>, more: Partial<SourceAlert> = {}) =>
  normalise({ ...source(labels), ...more }, "alertmanager", NOW, CLASSIFICATION);

describe("alert type", () => {
  it.each([
    ["KubePodCrashLooping", "k8s_pod_crash"],
    ["KubePodNotReady", "k8s_pod_crash"],
    ["KubeNodeNotReady", "k8s_node_failure"],
    ["KubeNodeUnreachable", "k8s_node_failure"],
    ["HighCPUUsage", "high_cpu"],
    ["HighMemoryUsage", "high_memory"],
    ["DiskSpaceLow", "disk_full"],
    ["SSLCertExpiringSoon", "ssl_expiry"],
    ["TargetDown", "service_404"],
    ["Other", "custom"],
    ["toString", "custom"],
    ["", "custom"],
  ])("of %s is %s", (name, type) => {
    expect(alertTypeOf(name)).toBe(type);
  });
});

describe("target", () => {
  const ORDER = [
    "component",
    "deployment",
    "statefulset",
    "daemonset",
    "job_name",
    "pod",
    "persistentvolumeclaim",
    "node",
    "instance",
  ];

  const targetOf = (labels: Record<string, string>, alert_name: string) =>
    targetNameOf(subjectOf(labels, { alert_name }));

  it("is the first label of the list that is there and not empty, else the alert's name", () => {
    for (const [at, label] of ORDER.entries()) {
      const labels = Object.fromEntries(ORDER.slice(at).map((one) => [one, `the-${one}`]));
      expect(targetOf(labels, "Name")).toBe(`the-${label}`);
      expect(targetOf({ ...labels, [label]: "" }, "Name")).toBe(
        ORDER[at + 1] === undefined ? "Name" : `the-${ORDER[at + 1]}`,
      );
    }
    expect(targetOf({}, "Name")).toBe("Name");
  });

  it.each([
    ["web-6d4cf56db6-x2x9z", "web"],
    ["my-web-app-7c9bc5c7c-5jxqd", "my-web-app"],
    ["fluentd-x2x9z", "fluentd"],
    ["postgres-0", "postgres"],
    ["postgres-12", "postgres"],
    ["web", "web"],
    ["web-api", "web-api"],
  ])("of the pod %s is %s", (pod, workload) => {
    expect(workloadOfPod(pod)).toBe(workload);
  });
});

describe("anomaly key", () => {
  const parts = fc.record({
    cluster: fc.string(),
    namespace: fc.string(),
    workload: fc.string(),
    alert_name: fc.string(),
    alert_type: fc.constantFrom("custom", "high_cpu", "k8s_pod_crash"),
  });

  it("is the same exactly for the same cluster, namespace, workload and type (name, where the type is custom)", () => {
    const key = (one: typeof parts extends fc.Arbitrary<infer T> ? T : never) =>
      JSON.stringify([
        one.cluster,
        one.namespace,
        one.workload,
        one.alert_type,
        one.alert_type === "custom" ? one.alert_name : "",
      ]);
    fc.assert(
      fc.property(parts, parts, fc.boolean(), (a, b, near) => {
        const other = near ? { ...a, alert_name: b.alert_name } : b;
        expect(anomalyKeyOf(a) === anomalyKeyOf(other)).toBe(key(a) === key(other));
      }),
      { seed: SEED },
    );
  });

  it("does not let parts run into each other, nor a name pose as a type", () => {
    const base = { cluster: "", namespace: "", workload: "", alert_type: "custom", alert_name: "x" };
    const seen = [
      base,
      { ...base, cluster: "a", namespace: "b" },
      { ...base, cluster: "a:b" },
      { ...base, cluster: 'a","b' },
      { ...base, namespace: "a:b" },
      { ...base, workload: "a:b" },
      { ...base, alert_type: "high_cpu" },
      { ...base, alert_name: "high_cpu" },
      { ...base, alert_name: "custom" },
    ].map(anomalyKeyOf);
    expect(new Set(seen).size).toBe(seen.length);
    for (const one of seen) expect(one).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is the same for what tells alerts of one name apart, which the fingerprint is not", () => {
    const burn = (slo: string) => make({ alertname: "ErrorBudgetBurn", slo });
    expect(burn("checkout").anomaly_key).toBe(burn("login").anomaly_key);
    expect(burn("checkout").fingerprint).not.toBe(burn("login").fingerprint);
  });
});

describe("fingerprint", () => {
  it("does not let labels run into each other or into the organisation", () => {
    const of = (organisation: string, ...telling: [string, string][]) =>
      fingerprintOf("k", { organisation, telling });
    const seen = [
      of(""),
      of("a"),
      of("", ["a", ""]),
      of("", ["a", "b"]),
      of("", ["ab", ""]),
      of("a", ["b", ""]),
      of("", ["a", "b"], ["c", "d"]),
      of("", ["a", "bcd"]),
    ];
    expect(new Set(seen).size).toBe(seen.length);
    for (const one of seen) expect(one).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is the same for both names of a node's failure and for both of a pod's, whatever else they carry", () => {
    const of = (labels: Record<string, string>) => make(labels).fingerprint;
    const node = { node: "n1", namespace: "monitoring", job: "kube-state-metrics" };
    expect(of({ ...node, alertname: "KubeNodeNotReady", condition: "Ready", status: "true" })).toBe(
      of({
        ...node,
        alertname: "KubeNodeUnreachable",
        key: "node.kubernetes.io/unreachable",
        effect: "NoExecute",
      }),
    );
    const pod = { pod: "web-0", namespace: "p", job: "kube-state-metrics" };
    expect(
      of({ ...pod, alertname: "KubePodCrashLooping", container: "web", reason: "CrashLoopBackOff" }),
    ).toBe(of({ ...pod, alertname: "KubePodNotReady" }));
  });

  it("is the same when it gets worse", () => {
    const of = (severity: string) => make({ alertname: "DiskFull", instance: "web1", severity }).fingerprint;
    expect(of("critical")).toBe(of("warning"));
  });

  it("is shared by the pods of a workload and not by two deployments seen through one exporter", () => {
    const pod = (name: string) =>
      make({ alertname: "KubePodCrashLooping", namespace: "p", pod: name }).fingerprint;
    expect(pod("web-6d4cf56db6-x2x9z")).toBe(pod("web-7c9bc5c7c4-5jxqd"));
    const deployment = (name: string) =>
      make({
        alertname: "KubeDeploymentReplicasMismatch",
        namespace: "p",
        deployment: name,
        instance: "10.0.0.1:8080",
      }).fingerprint;
    expect(deployment("web")).not.toBe(deployment("api"));
  });
});

describe("an alert", () => {
  it("is named by source fingerprint, whatever its text and start are", () => {
    const one = make({ alertname: "A" }, { annotations: { summary: "90 %" } });
    expect(make({ alertname: "A" }, { annotations: { summary: "95 %" } }).instance_key).toBe(
      one.instance_key,
    );
    expect(make({ alertname: "A", x: "1" }).instance_key).not.toBe(one.instance_key);
    expect(make({ alertname: "A" }, { starts_at: new Date(1) }).instance_key).toBe(one.instance_key);
    expect(make({ alertname: "A" }, { source_fingerprint: "f" }).instance_key).not.toBe(one.instance_key);
    expect(make({ alertname: "A" }, { status: "resolved" }).instance_key).toBe(one.instance_key);
    expect(make({ b: "1", alertname: "A" }).instance_key).toBe(make({ alertname: "A", b: "1" }).instance_key);
  });

  it("without a start lasts: its deliveries are one instance whenever they come", () => {
    const none = make({ alertname: "A" }, { starts_at: null });
    expect(none).toMatchObject({ start_known: false, starts_at: NOW });
    expect(make({ alertname: "A" }, { starts_at: NOW }).instance_key).toBe(none.instance_key);
  });

  it("has defaults for what its source left out", () => {
    expect(make({})).toMatchObject({
      alert_name: "unnamed alert",
      namespace: "default",
      cluster: "",
      severity: null,
      message: "unnamed alert",
      target_resource: "unnamed alert",
    });
    const annotated = (annotations: Record<string, string>) =>
      make({ alertname: "A" }, { annotations }).message;
    expect(annotated({ summary: "s", description: "d" })).toBe("s");
    expect(annotated({ summary: "", description: "d" })).toBe("d");
    expect(annotated({})).toBe("A");
  });
});

describe("an alert whose body says things itself", () => {
  const said = (more: Partial<SourceAlert>, labels: Record<string, string> = {}) =>
    make({ alertname: "A", pod: "web-7d4b9c5d8-x2k9p", ...labels }, more);

  it("is about what it says, of the type that it says, from a system that we know or `manual`", () => {
    expect(said({})).toMatchObject({ source: "alertmanager", target_resource: "web", alert_type: "custom" });
    expect(said({ target_resource: "api", alert_type: "High_CPU", source: " Grafana " })).toMatchObject({
      source: "grafana",
      target_resource: "api",
      alert_type: "high_cpu",
    });
    expect(said({ target_resource: "api-7d4b9c5d8-x2k9p" }).target_resource).toBe("api");
    expect(said({ target_resource: "db-pgsql" }).target_resource).toBe("db-pgsql");
    expect(said({ alert_type: "custom" }, { alertname: "HighCPUUsage" }).alert_type).toBe("high_cpu");
    expect(said({ alert_type: "unheard_of" }).alert_type).toBe("custom");
    for (const word of ["my script", "", "constructor", "manual"]) expect(sourceNameOf(word)).toBe("manual");
    for (const word of ["prometheus", "SigNoz", "sentry", "telegram"])
      expect(sourceNameOf(word)).toBe(word.toLowerCase());
  });

  it("converges by what it says", () => {
    expect(said({ target_resource: "api" }).fingerprint).not.toBe(said({}).fingerprint);
    expect(said({ target_resource: "web" }).fingerprint).toBe(said({}).fingerprint);
  });
});

describe("a call", () => {
  const receipt = (more: Partial<Receipt> = {}): Receipt => ({
    seq: 1,
    source: "generic",
    sender: "hmac",
    body: Buffer.from("{}"),
    received_at: NOW,
    ...more,
  });

  it("is its receipt, or what its sender called it: by sender, key, body and when it did first", () => {
    expect(callOf(receipt({ seq: 2 }))).not.toBe(callOf(receipt()));
    expect(callOf(receipt({ replays: 3 }))).toBe(callOf(receipt()));
    const keyed = (more: Partial<Receipt> = {}) => callOf(receipt({ idempotency_key: "k", ...more }));
    expect(keyed({ seq: 2 })).toBe(keyed());
    const others = [
      { idempotency_key: "l" },
      { sender: "10.0.0.1" },
      { body: Buffer.from("[]") },
      { received_at: new Date(0) },
    ];
    expect(new Set([{}, ...others].map(keyed)).size).toBe(5);
  });

  it("tells its alerts apart by their place, whatever is understood of them", () => {
    const of = (call: string | undefined, more: Partial<SourceAlert>) =>
      normalise(
        { ...source({ alertname: "A" }), starts_at: null, ...more },
        "generic",
        NOW,
        CLASSIFICATION,
        call,
      );
    const first = of("receipt:1", { position: 0 });
    expect(first).toMatchObject({ start_known: false, of_call: true, starts_at: NOW });
    expect(of("receipt:1", { position: 0, labels: { alertname: "B" } }).instance_key).toBe(
      first.instance_key,
    );
    expect(of("receipt:1", { position: 1 }).instance_key).not.toBe(first.instance_key);
    expect(of("receipt:2", { position: 0 }).instance_key).not.toBe(first.instance_key);
    const started = of("receipt:1", { starts_at: NOW });
    expect(started).toMatchObject({ start_known: true, of_call: false });
    expect(of("receipt:2", { starts_at: NOW }).instance_key).toBe(started.instance_key);
    expect(of(undefined, {})).toMatchObject({ of_call: false });
  });
});

describe("texts that nobody reads to their end", () => {
  const LONG = "x".repeat(1 << 20);
  const whole = { severity: "critical", namespace: "prod" };

  it("are kept in part, and do not take from the others", () => {
    const labels = { alertname: "A", pod: LONG, ...whole };
    const alert = make(labels, {
      annotations: { summary: LONG, description: LONG, runbook: "r", log: LONG },
      generator_url: `https://${LONG}`,
    });
    expect(alert.labels).toMatchObject({ alertname: "A", ...whole });
    expect(alert.target_resource).toHaveLength(4_096);
    expect(alert.message.endsWith("…")).toBe(true);
    expect(Object.keys(alert.annotations)).toContain("runbook");
    expect(alert.generator_url).toBeNull();
    expect(JSON.stringify(alert).length).toBeLessThan(200_000);
    expect(make({ alertname: LONG, ...whole }, { target_resource: LONG }).alert_name).toHaveLength(4_096);
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`l${n}`, "v"]));
    expect(JSON.stringify(make({ ...many, alertname: "A" })).length).toBeLessThan(200_000);
    expect(make({ ...many, alertname: "A" }).alert_name).toBe("A");
  });

  it("still tell alerts apart that differ behind the part that is kept", () => {
    const [one, other] = ["a", "b"].map((end) => make({ alertname: "A", note: LONG + end }));
    expect(one?.instance_key).not.toBe(other?.instance_key);
  });

  it("are left as they are up to the bounds", () => {
    const labels = { alertname: "A", note: "é".repeat(4_096), ...whole };
    const annotations = { description: "d".repeat(32_768) };
    expect(make(labels, { annotations })).toMatchObject({ labels, annotations });
  });
});
