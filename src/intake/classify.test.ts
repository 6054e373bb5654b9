import { describe, expect, it } from "vitest";
import { classify, loadClassification } from "./classify.ts";

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
    [
      "BackupJobFailed",
      "MinIODownX",
      "minIOdown",
      "hostDown",
      "Heartbeats",
      "XKubePod",
      "",
      "OtherSiteDown",
      "SentryDown2",
      "kubeaudit",
    ],
  ],
];

describe("classification", () => {
  it.each(TABLE.flatMap(([category, type, names]) => names.map((name) => [name, category, type] as const)))(
    "places %j in %s as %s",
    (name, category, type) => {
      expect(of(name)).toEqual([category, type]);
      expect(of(name, "critical")).toEqual([category, type]);
    },
  );

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
