import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import { AwoooiError } from "../../lib/error.ts";
import { loadClassification, parseClassification } from "./classification.ts";
import { classify, matchingRules } from "./classify.ts";

const RULES = loadClassification(["MyShopDown", "MyBlogDown"]);
const of = (alert_name: string, severity?: string, labels: Record<string, string> = {}) => {
  const { category, notification_type } = classify(RULES, { alert_name, severity, labels });
  return [category, notification_type];
};

/** The table of the specification, row by row. */
const TABLE: [string, string, string[]][] = [
  ["config_drift", "TYPE-4D", ["ConfigurationDrift", "KubeConfigDrift"]],
  [
    "alertchain_health",
    "TYPE-8M",
    [
      "AlertChainBroken_Alertmanager",
      "AlertChainBroken_Sentry",
      "NoAlertsReceived",
      "NoAlertsReceived2Hours",
      "NoAlertsReceivedLong",
      "AlertChainUnhealthy",
      "PrometheusNotConnectedToAlertmanager",
    ],
  ],
  [
    "secops",
    "TYPE-5S",
    [
      "UnauthorizedSSHLogin",
      "KubeAuditX",
      "CVECritical",
      "WAFAttackSQL",
      "PodAbnormalExec",
      "SecurityBreach1",
    ],
  ],
  [
    "flywheel_health",
    "TYPE-8M",
    [
      "AutoRepairLowSuccessRate",
      "PermanentFixRequired",
      "FlywheelStuck",
      "MCPProviderDown",
      "OllamaDown",
      "NemotronDownLong",
    ],
  ],
  [
    "business",
    "TYPE-6B",
    [
      "AITokenCostHigh",
      "GeminiAPIErrorRate",
      "SLOBurnFast",
      "APIErrorBudgetLow",
      "MomoScraperDown",
      "ScraperSuccessLow",
    ],
  ],
  [
    "backup",
    "TYPE-1",
    [
      "Watchdog",
      "myWATCHDOGalert",
      "DeadMansSwitch",
      "deadmansswitch2",
      "HostBackupFailed",
      "Heartbeat",
      "BackupRestoreTestFailed",
      "BackupRestoreTestStale",
    ],
  ],
  ["host_resource", "TYPE-3", ["HostOutOfMemory", "Host"]],
  ["infrastructure", "TYPE-3", ["DockerContainerDown"]],
  [
    "kubernetes",
    "TYPE-3",
    [
      "KubePodCrashLooping",
      "PodRestarting",
      "DeployFailed",
      "NodeNotReady",
      "VeleroBackupFailed",
      "ArgoCDOutOfSync",
    ],
  ],
  ["database", "TYPE-3", ["PostgresDown", "RedisDown"]],
  ["storage", "TYPE-3", ["MinIODown"]],
  [
    "devops_tool",
    "TYPE-3",
    [
      "OpenClawDown",
      "SignOzDown",
      "GiteaDown",
      "HarborDown",
      "SentryDown",
      "AlertmanagerDown",
      "KaliScannerDown",
      "GiteaCIPipelineFailed",
    ],
  ],
  ["external_site", "TYPE-3", ["MyShopDown", "MyBlogDown"]],
  ["ssl_cert", "TYPE-3", ["ExternalSiteSSLExpiring", "TLSCertSoon"]],
  [
    "general",
    "TYPE-3",
    ["BackupJobFailed", "Heartbeats", "", "OtherSiteDown", "myshopdown", "CheckoutSlow", "x".repeat(5_000)],
  ],
];

/** The order of the table, by the ids of its rows; the seventh is two rules, for heartbeats are no backups. */
const ROWS = [
  "config_drift",
  "alertchain_health",
  "secops",
  "flywheel_health",
  "business",
  "info",
  "heartbeat",
  "backup",
  "host_resource",
  "infrastructure",
  "kubernetes",
  "database",
  "storage",
  "devops_tool",
  "external_site",
  "ssl_cert",
];

describe("classification", () => {
  it.each(TABLE.flatMap(([category, type, names]) => names.map((name) => [name, category, type] as const)))(
    "places %j in %s as %s",
    (name, category, type) => {
      expect(of(name)).toEqual([category, type]);
      expect(of(name, "critical")).toEqual([category, type]);
    },
  );

  it("has the rows of the table first, in their order, and the one for everything last", () => {
    const ids = RULES.rules.map((one) => one.id);
    expect(ids.slice(0, ROWS.length)).toEqual(ROWS);
    expect(ids.at(-1)).toBe("general");
  });

  it.each([
    ["minIOdown", "storage"],
    ["MinIODownX", "storage"],
    ["hostDown", "host_resource"],
    ["XKubePod", "kubernetes"],
    ["kubeaudit", "secops"],
    ["SentryDown2", "devops_tool"],
    ["configurationDrift", "config_drift"],
    ["BackupRestoreTestFailed2", "backup"],
    ["dockerDown", "infrastructure"],
    ["sloBurnFast", "business"],
    ["XFlywheel", "flywheel_health"],
    ["NoAlertsReceived3Hours", "alertchain_health"],
  ])("compares names of the table exactly: %s is not of its row %s", (name, row) => {
    expect(classify(RULES, { alert_name: name, labels: {} }).rule).not.toBe(row);
  });

  it("takes severity info and none as information, after the rows before it and ahead of those behind it", () => {
    for (const severity of ["info", "none", " INFO "]) {
      for (const [category, type, names] of TABLE.slice(0, 5))
        expect(of(names[0]!, severity)).toEqual([category, type]);
      for (const [, , names] of TABLE.slice(5)) expect(of(names[0]!, severity)).toEqual(["info", "TYPE-1"]);
    }
  });

  it("lets the earlier row win where two match", () => {
    expect(of("KubeConfigDrift")[0]).toBe("config_drift");
    expect(of("KubeAuditPodExec")[0]).toBe("secops");
    expect(of("PodAbnormalWatchdog")[0]).toBe("secops");
    expect(of("HostWatchdog")[0]).toBe("backup");
    expect(of("HostBackupOld")[0]).toBe("backup");
    expect(classify(loadClassification(["HostSite"]), { alert_name: "HostSite", labels: {} }).category).toBe(
      "host_resource",
    );
  });

  it("makes a certificate with 14 days or more left information", () => {
    const days = (value?: string) =>
      of("TLSCertExpiring", "warning", value === undefined ? {} : { days_remaining: value })[1];
    expect(["14", "14.0", "15", "100"].map(days)).toEqual(Array(4).fill("TYPE-1"));
    expect(["13.99", "0", "-1", "", "soon", undefined].map(days)).toEqual(Array(6).fill("TYPE-3"));
  });

  it("knows a heartbeat whatever its severity, and nothing else as one", () => {
    const heartbeat = (alert_name: string, severity?: string) =>
      classify(RULES, { alert_name, severity, labels: {} }).heartbeat;
    for (const severity of [undefined, "none", "info", "critical"]) {
      expect(["Watchdog", "DeadMansSwitch", "Heartbeat"].map((name) => heartbeat(name, severity))).toEqual([
        true,
        true,
        true,
      ]);
      expect(
        ["HostBackupFailed", "BackupRestoreTestFailed", "KubePodCrashLooping"].map((name) =>
          heartbeat(name, severity),
        ),
      ).toEqual([false, false, false]);
    }
  });

  it("says which rule matched and why", () => {
    expect(classify(RULES, { alert_name: "HostDown", labels: {} })).toMatchObject({
      rule: "host_resource",
      reason: "the name starts with Host",
    });
    expect(classify(RULES, { alert_name: "X", severity: "info", labels: {} }).reason).toBe(
      "the severity is info",
    );
    expect(classify(RULES, { alert_name: "X", labels: {} })).toMatchObject({
      rule: "general",
      reason: "nothing else matched",
    });
  });
});

/** Alerts as exporters' rule collections name them, none of which the rules spell out whole. */
const PLACED: [string, string[]][] = [
  [
    "database",
    ["PgReplicationStale", "pg_wal_too_big", "mysqld-restarted", "MyMariaDBSlow", "KeyDBOutOfSync"],
  ],
  [
    "database",
    ["MongodOplogShort", "ESHeapHighOnElasticsearch", "ClickhousePartsTooMany", "RedisSentinelLost"],
  ],
  ["storage", ["MinioBucketQuota", "CephPGStale", "ZPoolDegraded", "ZfsArcSmall", "SmartctlPrefail"]],
  [
    "kubernetes",
    ["etcdSlowApply", "K8sApiServerLatency", "ArgoCdStuck", "FluxNotReady", "OpenShiftUpgradeStuck"],
  ],
  [
    "devops_tool",
    ["PrometheusWalGrows", "LokiSlow", "ThanosHalted", "gitlab_runner_offline", "AlertmanagerLost"],
  ],
  ["infrastructure", ["KafkaTopicLagging", "RabbitMqAlarm", "NGINXDown", "HAProxy5xx", "TraefikBackendGone"]],
  [
    "infrastructure",
    ["ContainerOomKilled", "container-gone", "SnmpTrapStorm", "IstioPilotDown", "VaultSealed"],
  ],
  [
    "ssl_cert",
    ["CertManagerNotReady", "CertificateEndsSoon", "WebsiteSSLEndsSoon", "x509_expired", "TlsExpiry"],
  ],
  ["external_site", ["BlackboxSlow", "ProbeFailing", "WebsiteUnreachable"]],
  [
    "host_resource",
    ["WindowsUpdatePending", "HighCPUUsage", "DiskSpaceLow", "OutOfMemory", "SystemdUnitDead"],
  ],
  ["application", ["JVMHeapHigh", "CeleryBacklog", "PHP-FPM busy"]],
];

describe("alerts beyond the table", () => {
  it.each(PLACED.flatMap(([category, names]) => names.map((name) => [name, category] as const)))(
    "places %s in %s by its name",
    (name, category) => {
      expect(of(name)).toEqual([category, "TYPE-3"]);
    },
  );

  it.each([
    ["sum by (pg_name) (rate(mysql_global_status_aborted[5m])) > 1", "database"],
    ['up{job="kafka"} == 0 and on(instance) redis_up == 1', "database"],
    ["instance:node_cpu:rate5m > 0.9", "host_resource"],
    ["min(probe_ssl_earliest_cert_expiry) - time() < 86400", "ssl_cert"],
    ['probe_success{instance="https://example.org"} == 0', "external_site"],
    ["kube_pod_status_phase == 1", "kubernetes"],
    ["rate(rabbitmq_queue_messages[5m]) > 1", "infrastructure"],
    ['label_replace(up, "pg_thing", "mysql_up", "job", "redis_.*") == 0', "general"],
    ["sum without (pg_name, kube_pod) (checkout_failures) > 1", "general"],
    ["".padEnd(100_000, '"('), "general"],
  ])("places an alert of one's own by the metrics of %s", (expr, category) => {
    expect(classify(RULES, { alert_name: "Trouble", labels: {}, expr }).category).toBe(category);
  });

  it("goes on to labels, and to annotations last", () => {
    const by = (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
      classify(RULES, { alert_name: "Trouble", labels, annotations }).category;
    expect(by({ job: "postgres-exporter" })).toBe("database");
    expect(by({ job: "node-exporter" })).toBe("host_resource");
    expect(by({ job: "api", pod: "api-1" })).toBe("kubernetes");
    expect(by({ mountpoint: "/" })).toBe("host_resource");
    expect(by({ job: "api" }, { summary: "The Kafka consumers lag behind" })).toBe("infrastructure");
    expect(by({ job: "postgres" }, { summary: "Kafka" })).toBe("database");
    expect(by({ job: "api", constructor: "postgres" })).toBe("general");
  });

  it("lets the product that a name begins with win over another that it mentions", () => {
    expect(of("JaegerCassandraWritesSlow")[0]).toBe("devops_tool");
    expect(of("CephPrometheusModuleOff")[0]).toBe("storage");
    expect(of("ThanosQueryDNSFailures")[0]).toBe("devops_tool");
  });

  it("answers for any name, labels, annotations and expression, with a rule of the table", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("pg_up", "__proto__", "\0", '"{(('));
    const record = fc.dictionary(fc.oneof(text, fc.constantFrom("job", "summary")), text);
    const ids = new Set(RULES.rules.map((one) => one.id));
    fc.assert(
      fc.property(text, text, record, record, text, (alert_name, severity, labels, annotations, expr) => {
        const alert = { alert_name, severity, labels, annotations, expr };
        const found = classify(RULES, alert);
        const all = matchingRules(RULES, alert);
        expect(ids.has(found.rule)).toBe(true);
        expect(all[0]).toMatchObject({ rule: found.rule, category: found.category, decides: true });
        expect(all.at(-1)?.rule).toBe("general");
      }),
      { seed: SEED },
    );
  });
});

describe("an installation's own classification", () => {
  const errorsOf = (yaml: string) => {
    try {
      parseClassification(yaml, "mine.yaml");
    } catch (error) {
      expect(error).toBeInstanceOf(AwoooiError);
      return (error as AwoooiError).errors;
    }
    throw new Error("it was taken");
  };

  it("comes before the shipped rules", () => {
    const own = parseClassification(
      "- { id: shop, words: [shop], category: shop, notification_type: TYPE-6B }",
      "mine.yaml",
    );
    const rules = { ...RULES, rules: [...own, ...RULES.rules] };
    expect(classify(rules, { alert_name: "ShopDown", labels: {} })).toMatchObject({
      rule: "shop",
      category: "shop",
    });
    expect(classify(rules, { alert_name: "KubeDown", labels: {} }).rule).toBe("kubernetes");
  });

  it("is told everything that is wrong with it at once", () => {
    const yaml = `
- { id: kubernetes, words: [shop], category: shop, notification_type: TYPE-3 }
- { id: all, always: true, category: shop, notification_type: TYPE-3 }`;
    expect(errorsOf(yaml).map((one) => one.path)).toEqual(["0.id", "1.always"]);
    const malformed = `
- { id: Shop, words: [Shop], category: shop, notification_type: TYPE-9 }
- { id: idle, category: "", notification_type: TYPE-3, wurds: [a] }`;
    expect(
      errorsOf(malformed)
        .map((one) => one.path)
        .sort(),
    ).toEqual(["0.id", "0.notification_type", "0.words.0", "1", "1.category"]);
    expect(errorsOf("- { id: idle, category: a, notification_type: TYPE-3 }")[0]?.message).toContain(
      "needs one of",
    );
    expect(errorsOf("a: [").length).toBeGreaterThan(0);
    expect(errorsOf("a: 1").length).toBeGreaterThan(0);
  });
});
