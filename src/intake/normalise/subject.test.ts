import { describe, expect, it } from "vitest";
import { affectedServices } from "./affected-services.ts";
import { subjectOf, targetNameOf, tellingLabels } from "./subject.ts";

type Labels = Record<string, string>;
const of = (alert_name: string, labels: Labels, alert_type = "custom") =>
  subjectOf({ alertname: alert_name, ...labels }, { alert_name, alert_type });

/** What kube-prometheus-stack puts on every alert that kube-state-metrics reports. */
const KSM = {
  container: "kube-state-metrics",
  endpoint: "http",
  instance: "10.42.3.100:8080",
  job: "kube-state-metrics",
  pod: "kube-prometheus-stack-kube-state-metrics-8bbc975f8-nn58c",
  service: "kube-prometheus-stack-kube-state-metrics",
};
const nodeExporter = (node: string) => ({
  container: "node-exporter",
  endpoint: "http-metrics",
  instance: `${node}:9100`,
  job: "node-exporter",
  namespace: "monitoring",
  pod: "kube-prometheus-stack-prometheus-node-exporter-x2x9z",
  service: "kube-prometheus-stack-prometheus-node-exporter",
});
const OTEL = {
  container: "opentelemetry-collector",
  endpoint: "metrics",
  instance: "10.42.0.9:8889",
  job: "otel-collector",
  namespace: "observability",
  pod: "otel-collector-7c9bc5c7c-5jxqd",
  service: "otel-collector",
};

describe("what a scraper says of itself is not the subject", () => {
  it.each<[string, string, Labels, { kind: string | null; name: string; namespace: string | null }]>([
    [
      "of a failed job",
      "KubeJobFailed",
      { ...KSM, namespace: "renovate", job_name: "renovate-29057640" },
      { kind: "job", name: "renovate-29057640", namespace: "renovate" },
    ],
    [
      "of an autoscaler",
      "KubeHpaMaxedOut",
      { ...KSM, namespace: "shop", horizontalpodautoscaler: "api" },
      { kind: "horizontalpodautoscaler", name: "api", namespace: "shop" },
    ],
    [
      "of a stateful set",
      "KubeStatefulSetReplicasMismatch",
      { ...KSM, namespace: "db", statefulset: "postgres" },
      { kind: "statefulset", name: "postgres", namespace: "db" },
    ],
    [
      "of a node that is not ready, which is in no namespace",
      "KubeNodeNotReady",
      { ...KSM, namespace: "monitoring", node: "n1", condition: "Ready", status: "true" },
      { kind: "node", name: "n1", namespace: null },
    ],
    [
      "of a persistent volume",
      "KubePersistentVolumeErrors",
      { ...KSM, namespace: "monitoring", persistentvolume: "pvc-1", phase: "Failed" },
      { kind: "persistentvolume", name: "pvc-1", namespace: null },
    ],
    [
      "of a pod that kube-state-metrics tells of",
      "KubePodCrashLooping",
      { ...KSM, namespace: "shop", pod: "api-6d4cf56db6-x2x9z", container: "api" },
      { kind: "pod", name: "api-6d4cf56db6-x2x9z", namespace: "shop" },
    ],
    [
      "of a claim that the kubelet tells of",
      "KubePersistentVolumeFillingUp",
      {
        job: "kubelet",
        instance: "10.0.0.5:10250",
        service: "kube-prometheus-stack-kubelet",
        namespace: "db",
        node: "n1",
        persistentvolumeclaim: "data-postgres-0",
        metrics_path: "/metrics",
      },
      { kind: "persistentvolumeclaim", name: "data-postgres-0", namespace: "db" },
    ],
    [
      "of a machine that node-exporter runs on",
      "NodeSystemSaturation",
      nodeExporter("10.0.0.5"),
      { kind: "host", name: "10.0.0.5:9100", namespace: null },
    ],
    [
      "of what blackbox-exporter asks",
      "ProbeFailed",
      {
        job: "blackbox",
        instance: "https://shop.example/health",
        namespace: "monitoring",
        pod: "prometheus-blackbox-exporter-6d4cf56db6-x2x9z",
        service: "prometheus-blackbox-exporter",
      },
      { kind: "host", name: "https://shop.example/health", namespace: null },
    ],
    [
      "of a database that a cloud exporter tells of",
      "RDSFreeStorageLow",
      {
        job: "yet-another-cloudwatch-exporter",
        instance: "10.42.1.7:5000",
        endpoint: "http",
        namespace: "monitoring",
        pod: "yace-7c9bc5c7c-5jxqd",
        container: "yace",
        service: "yace",
        dimension_DBInstanceIdentifier: "orders",
      },
      { kind: null, name: "RDSFreeStorageLow", namespace: null },
    ],
    [
      "of a service that a collector tells of",
      "APIHighErrorRate",
      { ...OTEL, service_name: "checkout" },
      { kind: "workload", name: "checkout", namespace: null },
    ],
    [
      "of a workload whose labels were renamed",
      "HighErrorRate",
      { ...OTEL, exported_pod: "api-6d4cf56db6-x2x9z", exported_namespace: "shop", exported_service: "api" },
      { kind: "pod", name: "api-6d4cf56db6-x2x9z", namespace: "shop" },
    ],
    [
      "of a certificate in another namespace than cert-manager's",
      "CertManagerCertExpirySoon",
      {
        job: "cert-manager",
        namespace: "cert-manager",
        pod: "cert-manager-6d4cf56db6-x2x9z",
        container: "cert-manager-controller",
        instance: "10.42.0.3:9402",
        exported_namespace: "shop",
        name: "shop-tls",
      },
      { kind: null, name: "CertManagerCertExpirySoon", namespace: "shop" },
    ],
    [
      "of a batch whose job was pushed",
      "BatchFailed",
      {
        job: "pushgateway",
        instance: "10.42.0.3:9091",
        exported_job: "nightly-import",
        namespace: "monitoring",
      },
      { kind: null, name: "BatchFailed", namespace: null },
    ],
    [
      "of a backend behind an ingress controller",
      "IngressHighErrorRate",
      {
        job: "ingress-nginx",
        namespace: "ingress-nginx",
        pod: "ingress-nginx-controller-6d4cf56db6-x2x9z",
        container: "controller",
        service: "ingress-nginx-controller-metrics",
        exported_namespace: "shop",
        exported_service: "web",
        ingress: "shop",
      },
      { kind: "ingress", name: "shop", namespace: "shop" },
    ],
  ])("%s", (_what, name, labels, subject) => {
    expect(of(name, labels)).toMatchObject(subject);
  });

  it("is told of: which labels, and why", () => {
    const { ignored } = of("KubeJobFailed", { ...KSM, namespace: "renovate", job_name: "renovate-29057640" });
    expect(ignored).toEqual([
      {
        labels: expect.arrayContaining(["pod", "container", "instance", "job", "service", "endpoint"]),
        because: "the alert is reported by kube-state-metrics (label `job`), and not about it",
      },
    ]);
    const renamed = of("X", { pod: "otel-0", exported_pod: "api-0" }).ignored;
    expect(renamed).toEqual([{ labels: ["pod"], because: "`exported_pod` is the subject's own" }]);
  });
});

describe("an exporter is the subject of an alert about it", () => {
  it.each<[string, string, Labels, Labels]>([
    ["whose pod crashes", "KubePodCrashLooping", KSM, { kind: "pod", name: KSM.pod }],
    [
      "whose pod kube-state-metrics tells of",
      "KubePodNotReady",
      { ...KSM, namespace: "monitoring", pod: "node-exporter-x2x9z", container: "node-exporter" },
      { kind: "pod", name: "node-exporter-x2x9z", namespace: "monitoring" },
    ],
    [
      "which the kubelet throttles",
      "CPUThrottlingHigh",
      {
        job: "kubelet",
        instance: "10.0.0.5:10250",
        namespace: "monitoring",
        pod: "node-exporter-x2x9z",
        container: "node-exporter",
      },
      { kind: "pod", name: "node-exporter-x2x9z" },
    ],
    [
      "which is aggregated by pod and container",
      "CPUThrottlingHigh",
      { namespace: "monitoring", pod: "node-exporter-x2x9z", container: "node-exporter" },
      { kind: "pod", name: "node-exporter-x2x9z", namespace: "monitoring" },
    ],
    ["which lists nothing", "KubeStateMetricsListErrors", KSM, { kind: "pod", name: KSM.pod }],
    [
      "which cannot be scraped",
      "TargetDown",
      { ...KSM, namespace: "monitoring" },
      { kind: "pod", name: KSM.pod, namespace: "monitoring" },
    ],
    [
      "whose workload is named",
      "KubeDeploymentReplicasMismatch",
      { ...KSM, namespace: "monitoring", deployment: "kube-state-metrics" },
      { kind: "deployment", name: "kube-state-metrics", namespace: "monitoring" },
    ],
    [
      "beside the database that it is in one pod with",
      "RedisDown",
      {
        job: "redis-exporter",
        instance: "10.42.0.3:9121",
        namespace: "shop",
        pod: "redis-master-0",
        container: "metrics",
        service: "redis-metrics",
      },
      { kind: "pod", name: "redis-master-0", namespace: "shop" },
    ],
    [
      "of a collector where nothing else is named",
      "OtelcolRefusedSpans",
      OTEL,
      { kind: "pod", name: OTEL.pod },
    ],
    [
      "of Prometheus",
      "PrometheusBadConfig",
      { job: "prometheus-k8s", namespace: "monitoring", pod: "prometheus-k8s-0", container: "prometheus" },
      { kind: "pod", name: "prometheus-k8s-0", namespace: "monitoring" },
    ],
  ])("%s", (_what, name, labels, subject) => {
    expect(of(name, labels)).toMatchObject(subject);
  });

  it("where the expression asks whether it is up; but of a machine, which may be what is down", () => {
    const about = (labels: Labels, expr: string) =>
      subjectOf({ alertname: "Gone", ...labels }, { alert_name: "Gone", expr });
    const redis = {
      job: "redis-exporter",
      pod: "redis-exporter-0",
      namespace: "shop",
      instance: "10.42.0.3:9121",
    };
    expect(about(redis, 'up{job="redis-exporter"} == 0')).toMatchObject({ kind: "pod" });
    expect(about(redis, "redis_up == 0")).toMatchObject({ kind: null });
    expect(about(nodeExporter("10.0.0.5"), 'up{job="node-exporter"} == 0')).toMatchObject({ kind: "host" });
  });
});

describe("labels that name a workload", () => {
  it.each([
    "service",
    "service_name",
    "service.name",
    "workload",
    "workload_name",
    "app",
    "app.kubernetes.io/name",
    "app_kubernetes_io_name",
    "owner_name",
    "backend",
    "k8s-app",
  ])("include %s, whose values are different troubles", (label) => {
    expect(of("APIHighErrorRate", { [label]: "checkout" })).toMatchObject({
      kind: "workload",
      name: "checkout",
      workload: "checkout",
    });
  });

  it("say of what kind, where they do", () => {
    expect(of("X", { workload: "api", workload_type: "Deployment", namespace: "shop" })).toMatchObject({
      kind: "deployment",
      name: "api",
    });
    expect(of("X", { owner_name: "api-6d4cf56db6", owner_kind: "ReplicaSet" })).toMatchObject({
      kind: "replicaset",
      workload: "api",
    });
    // Of a kind that somebody else brought it is looked up by its name.
    expect(of("X", { workload: "api", workload_type: "Rollout" })).toMatchObject({
      kind: "workload",
      name: "api",
    });
  });

  it("of a service mesh are those of who is called, where that is", () => {
    const istio = {
      reporter: "source",
      pod: "web-6d4cf56db6-x2x9z",
      namespace: "front",
      destination_workload: "checkout",
    };
    expect(of("Mesh5xx", { ...istio, destination_workload_namespace: "shop" })).toMatchObject({
      kind: "workload",
      name: "checkout",
      namespace: "shop",
    });
    expect(
      of("Mesh5xx", { deployment: "web", namespace: "front", dst_deployment: "api", dst_namespace: "shop" }),
    ).toMatchObject({
      kind: "deployment",
      name: "api",
      namespace: "shop",
    });
  });

  it.each([
    ["k8s.deployment.name", "deployment"],
    ["k8s.node.name", "node"],
    ["k8s.cronjob.name", "cronjob"],
    ["daemonset", "daemonset"],
    ["hpa", "horizontalpodautoscaler"],
    ["volumename", "persistentvolume"],
    ["ingress", "ingress"],
  ])("include the attribute or label %s of a %s", (label, kind) => {
    const found = of("X", { [label]: "a", "k8s.namespace.name": "shop", cluster_name: "east" });
    expect(found).toMatchObject({ kind, name: "a", cluster: "east" });
  });

  it("come after those of the machine in an alert about a machine", () => {
    const labels = { node: "n1", service: "rack-watcher", instance: "10.0.0.5:9" };
    expect(of("NodeDiskPressure", labels)).toMatchObject({ kind: "node", name: "n1" });
    expect(of("HighLatency", { ...labels, node: "" })).toMatchObject({
      kind: "workload",
      name: "rack-watcher",
    });
  });
});

describe("values that say nothing", () => {
  it.each([
    "",
    " ",
    "-",
    "N/A",
    "null",
    "NULL",
    "undefined",
    "<no value>",
    "<nil>",
    "{{ $labels.pod }}",
    "{{.Labels.pod}}",
    "web-{{ $labels.x }}",
    "%!s(<nil>)",
    "%!v(MISSING)",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a template leaves where nobody fills it in
    "${POD}",
    "[no value]",
  ])("count as missing: %j", (value) => {
    const found = of("X", {
      pod: value,
      namespace: value,
      cluster: value,
      service_name: "checkout",
      slo: value,
    });
    expect(found).toMatchObject({ kind: "workload", name: "checkout", namespace: null, cluster: null });
    expect(tellingLabels(found, { pod: value, slo: value }, "custom")).toEqual([]);
  });

  it("but not where the word is a value like any other", () => {
    expect(of("X", { severity: "none" }).labels.severity).toBe("none");
  });
});

describe("what tells alerts of one name apart", () => {
  const telling = (alert_name: string, labels: Labels, alert_type?: string) =>
    Object.fromEntries(tellingLabels(of(alert_name, labels, alert_type), labels, alert_type ?? "custom"));

  it("is every label that does not vary within a workload", () => {
    expect(telling("ErrorBudgetBurn", { slo: "checkout", severity: "page", team: "pay" })).toEqual({
      slo: "checkout",
      team: "pay",
    });
    expect(
      telling("DiskFull", { instance: "web1:9100", device: "/dev/sda1", mountpoint: "/", value: "97" }),
    ).toEqual({ device: "/dev/sda1", mountpoint: "/" });
  });

  it("is not the replica, its machine, its run, its revision or the scraper", () => {
    const one = {
      namespace: "shop",
      service_name: "api",
      pod: "api-6d4cf56db6-x2x9z",
      node: "n1",
      instance: "10.0.0.5:80",
    };
    expect(
      telling("X", { ...one, container_id: "c", "service.version": "1", trace_id: "t", uid: "u" }),
    ).toEqual({
      ...{},
      ...telling("X", { namespace: "shop", service_name: "api", pod: "api-6d4cf56db6-x2x9z" }),
    });
    expect(telling("KubeJobFailed", { ...KSM, namespace: "r", job_name: "renovate-29057640" })).toEqual({});
  });

  it("is not the window in which a budget burns, nor the file of a log", () => {
    const burn = {
      slo: "checkout",
      sloth_severity: "page",
      long: "1h",
      short: "5m",
      filename: "/var/log/pods/x/0.log",
    };
    expect(telling("ErrorBudgetBurn", burn)).toEqual({ slo: "checkout" });
  });

  it("is the machine where nothing says that it is one of several replicas", () => {
    expect(telling("NginxDown", { service: "nginx", instance: "web1:9113" })).toEqual({
      instance: "web1:9113",
    });
    expect(telling("NginxDown", { service: "nginx", instance: "web1:9113", namespace: "shop" })).toEqual({});
  });

  it("is not the container of a pod that crashes", () => {
    expect(
      telling("KubePodCrashLooping", { ...KSM, namespace: "s", pod: "a-0", container: "a" }, "k8s_pod_crash"),
    ).toEqual({});
  });

  it("is the namespace that may be the scraper's", () => {
    expect(telling("APIHighErrorRate", { ...OTEL, service_name: "a" })).toEqual({
      scraper_namespace: "observability",
    });
  });
});

describe("runs and replicas", () => {
  it("are those of one workload", () => {
    const run = (job_name: string) => of("KubeJobFailed", { ...KSM, namespace: "renovate", job_name });
    expect(run("renovate-29057640").workload).toBe("renovate");
    expect(run("renovate-29059080").workload).toBe("renovate");
    expect(run("renovate-1743458400").workload).toBe("renovate");
    expect(run("migrate-v2").workload).toBe("migrate-v2");
    expect(targetNameOf(run("renovate-29057640"))).toBe("renovate-29057640");
    expect(targetNameOf(of("X", { pod: "api-6d4cf56db6-x2x9z" }))).toBe("api");
  });
});

describe("the services of an alert", () => {
  it.each<[string, Labels, string[]]>([
    ["KubeJobFailed", { ...KSM, namespace: "r", job_name: "renovate-29057640" }, ["renovate-29057640"]],
    ["APIHighErrorRate", { ...OTEL, service_name: "checkout" }, ["checkout"]],
    ["X", { job: "kubernetes-pods", pod: "api-0" }, ["api"]],
    ["BatchFailed", { job: "pushgateway", exported_job: "nightly-import" }, ["nightly-import"]],
    ["NodeSystemSaturation", nodeExporter("10.0.0.5"), []],
  ])("%s is not the scraper", (alert_name, labels, services) => {
    const target_resource = targetNameOf(of(alert_name, labels));
    expect(affectedServices({ labels, alert_name, target_resource })).toEqual(services);
  });
});

describe("what an exporter reports where no label names a subject", () => {
  const both = (alert_name: string, one: Labels, other: Labels) =>
    [one, other].map((labels) =>
      JSON.stringify([
        of(alert_name, labels).workload,
        tellingLabels(of(alert_name, labels), labels, "custom"),
      ]),
    );
  const apart = (alert_name: string, one: Labels, other: Labels) => {
    const [a, b] = both(alert_name, one, other);
    expect(a).not.toBe(b);
  };
  const exporter = (name: string, more: Labels = {}) => ({
    job: name,
    service: name,
    namespace: "db",
    pod: `${name}-6c5d8b7f9d-x2v9k`,
    instance: "10.42.1.2:9187",
    ...more,
  });

  it.each<[string, Labels, Labels]>([
    [
      "an exporter for each database",
      exporter("pg-orders-prometheus-postgres-exporter"),
      exporter("pg-users-prometheus-postgres-exporter"),
    ],
    [
      "one exporter for several",
      exporter("redis-exporter", { instance: "redis://cache1:6379" }),
      exporter("redis-exporter", { instance: "redis://cache2:6379" }),
    ],
    [
      "one exporter, which names hosts",
      exporter("mysqld-exporter", { instance: "db3:3306" }),
      exporter("mysqld-exporter", { instance: "db4:3306" }),
    ],
    [
      "probes with a label of their own",
      {
        job: "probe/monitoring/sites",
        service: "website",
        namespace: "monitoring",
        instance: "https://a.example",
      },
      {
        job: "probe/monitoring/sites",
        service: "website",
        namespace: "monitoring",
        instance: "https://b.example",
      },
    ],
    [
      "machines behind a job that scrapes all pods",
      {
        job: "kubernetes-pods",
        app: "node-exporter",
        namespace: "m",
        pod: "node-exporter-x2v9k",
        instance: "10.0.0.5:9100",
      },
      {
        job: "kubernetes-pods",
        app: "node-exporter",
        namespace: "m",
        pod: "node-exporter-x7v9k",
        instance: "10.0.0.6:9100",
      },
    ],
    [
      "machines by a Helm chart's component",
      {
        component: "node-exporter",
        app: "prometheus",
        job: "kubernetes-service-endpoints",
        instance: "10.0.0.5:9100",
      },
      {
        component: "node-exporter",
        app: "prometheus",
        job: "kubernetes-service-endpoints",
        instance: "10.0.0.6:9100",
      },
    ],
    [
      "two workloads of one component",
      { namespace: "shop", component: "backend", pod: "orders-6c5d8b7f9d-x2v9k" },
      { namespace: "shop", component: "backend", pod: "users-6c5d8b7f9d-x2v9k" },
    ],
    ["streams", { service: "nats", stream: "orders" }, { service: "nats", stream: "login" }],
    ["images", { image: "nginx:1" }, { image: "redis:7" }],
  ])("tells %s apart", (_what, one, other) => apart("SomethingIsWrong", one, other));

  it("is one trouble on each run of a cron job, by its pods too", () => {
    const run = (pod: string) => of("KubePodFailed", { namespace: "r", pod });
    expect(run("renovate-29057640-x2v9k").workload).toBe("renovate");
    expect(run("renovate-29929458-x2v9k").workload).toBe("renovate");
    // A number that is no time of our days names a job of its own.
    const job = (job_name: string) => of("KubeJobFailed", { namespace: "r", job_name }).workload;
    expect(job("import-10000001")).not.toBe(job("import-10000002"));
  });
});

describe("a subject that is named, whatever else is", () => {
  it.each<[string, string, Labels, { kind: string | null; name?: string; namespace?: string | null }]>([
    [
      "a machine that does not answer",
      "HostDown",
      nodeExporter("10.0.0.5"),
      { kind: "host", name: "10.0.0.5:9100" },
    ],
    [
      "a node, beside a pod whose name no controller made",
      "KubeNodeNotReady",
      { ...KSM, node: "n1", pod: "kps-kube-state-metrics-5f7d4c-abcde", namespace: "monitoring" },
      { kind: "node", name: "n1", namespace: null },
    ],
    [
      "a service, beside a collector of another name",
      "APIHighErrorRate",
      {
        ...OTEL,
        job: "opentelemetry-collector",
        pod: "otel-collector-agent-xq9zz",
        service_name: "checkout",
      },
      { kind: "workload", name: "checkout" },
    ],
    [
      "a node, behind a job that scrapes all pods",
      "KubernetesNodeNotReady",
      {
        job: "kubernetes-pods",
        app: "kube-state-metrics",
        pod: "kube-state-metrics-6c5d8b7f9d-x2v9k",
        node: "n1",
        namespace: "kube-system",
      },
      { kind: "node", name: "n1" },
    ],
    [
      "a pod, beside a Helm chart's component",
      "KubernetesPodCrashLooping",
      {
        component: "kube-state-metrics",
        job: "kubernetes-service-endpoints",
        pod: "api-6c5d8b7f9d-x2v9k",
        namespace: "shop",
      },
      { kind: "pod", name: "api-6c5d8b7f9d-x2v9k", namespace: "shop" },
    ],
    [
      "a service, in an alert that begins with the proxy's name",
      "TraefikHighHttp5xxErrorRateService",
      {
        job: "traefik",
        pod: "traefik-6c5d8b7f9d-x2v9k",
        namespace: "traefik",
        instance: "10.42.0.3:9100",
        exported_service: "shop-api",
      },
      { kind: "workload", name: "shop-api", namespace: null },
    ],
    [
      "a service, in an alert about a target of its own",
      "SLOTargetMissed",
      { ...OTEL, service_name: "checkout" },
      { kind: "workload", name: "checkout" },
    ],
    [
      "a certificate, which is not its controller",
      "CertManagerCertNotReady",
      {
        name: "shop-tls",
        namespace: "shop",
        pod: "cert-manager-6c5d8b7f9d-x2v9k",
        job: "cert-manager",
        instance: "10.42.0.3:9402",
      },
      { kind: null },
    ],
    [
      "a pod that kube-state-metrics tells of, in its own namespace",
      "KubePodCrashLooping",
      {
        exported_namespace: "shop",
        pod: "api-6c5d8b7f9d-x2v9k",
        namespace: "monitoring",
        job: "kube-state-metrics",
      },
      { kind: "pod", name: "api-6c5d8b7f9d-x2v9k", namespace: "shop" },
    ],
    [
      "who is called, in the namespace of that",
      "LinkerdHighErrorRate",
      { deployment: "gw", namespace: "shop", dst_statefulset: "pg", dst_namespace: "pay" },
      { kind: "statefulset", name: "pg", namespace: "pay" },
    ],
    [
      "who calls, in its own namespace",
      "LinkerdRetries",
      { deployment: "gw", namespace: "shop", dst_namespace: "pay" },
      { kind: "deployment", name: "gw", namespace: "shop" },
    ],
    [
      "a machine whose files cannot be read",
      "NodeTextFileCollectorScrapeError",
      nodeExporter("10.0.0.6"),
      { kind: "host", name: "10.0.0.6:9100" },
    ],
    [
      "no pod of kube-state-metrics, where the pod's own name was lost",
      "KubeContainerOOMKilled",
      { ...KSM, namespace: "shop", exported_container: "api", exported_pod: "<no value>" },
      { kind: null, namespace: "shop" },
    ],
    [
      "an application, which is not the controller that tells of it",
      "ArgoAppUnhealthy",
      {
        name: "shop",
        namespace: "argocd",
        exported_namespace: "argocd",
        pod: "argocd-application-controller-0",
        job: "argocd-application-controller-metrics",
        service: "argocd-application-controller-metrics",
        exported_service: "https://kubernetes.default.svc",
      },
      { kind: null },
    ],
    [
      "a service, beside a collector's own build",
      "HighErrorRate",
      {
        service_name: "checkout",
        job: "otelcol-contrib",
        namespace: "obs",
        pod: "otelcol-contrib-8bbc975f8-nn58c",
        instance: "1.1.1.1:8889",
      },
      { kind: "workload", name: "checkout", namespace: null },
    ],
    [
      "a service of OpenTelemetry by its job",
      "HighLatency",
      {
        job: "otel-collector",
        exported_job: "shop/checkout",
        exported_instance: "627cc493-f310-47de-96bd-71410b7dec09",
      },
      { kind: null },
    ],
  ])("is %s", (_what, name, labels, subject) => {
    expect(of(name, labels)).toMatchObject(subject);
  });

  it.each([
    ["serviceName", "workload"],
    ["podName", "pod"],
    ["deploymentName", "deployment"],
    ["k8s_deployment", "deployment"],
    ["k8s_pod", "pod"],
    ["kubernetes_deployment_name", "deployment"],
    ["label_app_kubernetes_io_name", "workload"],
    ["com.docker.compose.service", "workload"],
  ])("may be in the label %s, of a %s", (label, kind) => {
    expect(of("X", { [label]: "a", namespaceName: "shop", k8s_cluster: "east" })).toMatchObject({
      kind,
      name: "a",
      namespace: "shop",
      cluster: "east",
    });
  });

  it.each([
    "NaN",
    '""',
    "(unknown)",
    "<missing>",
    "not available",
    "no data",
    "map[]",
    "?",
    "%{d}",
    "$deployment",
    "<error expanding template: x>",
    "unknown_service:java",
  ])("is not %s", (value) => {
    const found = of("X", { deployment: value, service: "checkout", namespace: value });
    expect(found).toMatchObject({ kind: "workload", name: "checkout", namespace: null });
    expect(tellingLabels(found, { namespace: value, service: "checkout" }, "custom")).toEqual([]);
  });
});
