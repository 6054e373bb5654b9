import { expect, it } from "vitest";
import { loadClassification, normalise } from "../../../intake/index.ts";
import { customSource, PRESETS } from "./config.ts";
import { mappedSource } from "./index.ts";

type Case = {
  firing: object;
  /** What its resolved notice says otherwise; none: the vendor sends none. */
  over?: object;
  name: string;
  severity?: string;
  target: string;
  labels?: Record<string, string>;
};

/** Bodies as the vendors document them, or as docs/reference/custom-sources.md has them set up. */
const CASES: Record<string, Case> = {
  datadog: {
    firing: {
      monitor: "Disk is filling up",
      title: "[P2] [Triggered] Disk is filling up on web-1",
      transition: "Triggered",
      priority: "P2",
      host: "web-1",
      tags: "team:web,env:prod",
      cycle: "123",
    },
    over: { transition: "Recovered", priority: "P2", title: "[P2] [Recovered] Disk is filling up" },
    name: "Disk is filling up",
    severity: "high",
    target: "web-1",
    labels: { team: "web", env: "prod" },
  },
  newrelic: {
    firing: {
      id: "issue-1",
      title: "api: error rate > 5 %",
      priority: "CRITICAL",
      state: "ACTIVATED",
      createdAt: 1_780_000_000_000,
      impactedEntities: ["api"],
      alertConditionNames: ["Error rate"],
      alertPolicyNames: ["golden signals"],
    },
    over: { state: "CLOSED", updatedAt: 1_780_000_060_000 },
    name: "Error rate",
    severity: "CRITICAL",
    target: "api",
    labels: { policy: "golden signals" },
  },
  cloudwatch: {
    firing: {
      Type: "Notification",
      Message: JSON.stringify({
        AlarmName: "api-cpu",
        AlarmArn: "arn:aws:cloudwatch:eu-west-1:1:alarm:api-cpu",
        NewStateValue: "ALARM",
        Trigger: { MetricName: "CPUUtilization", Dimensions: [{ name: "InstanceId", value: "i-1" }] },
      }),
    },
    over: {
      Message: JSON.stringify({
        AlarmName: "api-cpu",
        AlarmArn: "arn:aws:cloudwatch:eu-west-1:1:alarm:api-cpu",
        NewStateValue: "OK",
      }),
    },
    name: "api-cpu",
    target: "i-1",
    labels: { InstanceId: "i-1", metric: "CPUUtilization" },
  },
  zabbix: {
    firing: {
      eventid: "42",
      name: "No ping",
      value: "1",
      severity: "Disaster",
      host: "db-1",
      tags: "scope:availability",
    },
    over: { value: "0" },
    name: "No ping",
    severity: "Disaster",
    target: "db-1",
    labels: { host: "db-1", scope: "availability" },
  },
  graylog: {
    firing: {
      event_definition_title: "Too many 500",
      event: {
        id: "E1",
        timestamp: "2026-05-04T07:00:00.000Z",
        priority: 3,
        key: "shop",
        source: "graylog-1",
      },
      backlog: [{ message: "GET / 500" }],
    },
    name: "Too many 500",
    severity: "high",
    target: "shop",
  },
  librenms: {
    firing: {
      name: "Device down",
      title: "sw-1 is down",
      state: "1",
      severity: "critical",
      sysName: "sw-1",
      alert_id: "7",
    },
    over: { state: "0", severity: "ok", title: "sw-1 recovered" },
    name: "Device down",
    severity: "critical",
    target: "sw-1",
  },
  gcp: {
    firing: {
      incident: {
        incident_id: "0.a",
        state: "open",
        policy_name: "5xx",
        severity: "Error",
        started_at: 1_780_000_000,
        resource_display_name: "shop",
        resource: { type: "gae_app", labels: { zone: "eu" } },
      },
    },
    over: {
      incident: {
        incident_id: "0.a",
        state: "closed",
        policy_name: "5xx",
        started_at: 1_780_000_000,
        ended_at: 1_780_000_300,
      },
    },
    name: "5xx",
    severity: "Error",
    target: "shop",
    labels: { zone: "eu" },
  },
  pingdom: {
    firing: {
      check_id: 5,
      check_name: "Shop",
      current_state: "DOWN",
      importance_level: "HIGH",
      check_params: { hostname: "shop.example" },
    },
    over: { current_state: "UP" },
    name: "Shop",
    severity: "HIGH",
    target: "shop.example",
  },
  opsgenie: {
    firing: {
      action: "Create",
      alert: {
        alertId: "a",
        alias: "disk-web-1",
        message: "Disk full",
        priority: "P1",
        entity: "web-1",
        createdAt: 1_780_000_000_000,
      },
    },
    over: { action: "Close" },
    name: "Disk full",
    severity: "critical",
    target: "web-1",
  },
};

it("has bodies of every preset", () => {
  expect(Object.keys(CASES).sort()).toEqual(Object.keys(PRESETS).sort());
});

it.each(Object.entries(CASES))(
  "%s fires and resolves as one alert",
  (preset, { firing, over, name, severity, target, labels }) => {
    const { decode } = mappedSource(customSource.parse({ name: "x", preset }));
    const one = (body: object) => {
      const decoded = decode(body);
      if (!decoded.ok) throw new Error(decoded.reason);
      expect(decoded.rejected).toEqual([]);
      return decoded.alerts[0]!;
    };
    const begun = one(firing);
    expect(begun).toMatchObject({
      status: "firing",
      target_resource: target,
      labels: { alertname: name, ...labels },
    });
    expect(begun.labels.severity).toBe(severity);
    if (over === undefined) return;
    const ended = one({ ...firing, ...over });
    expect(ended.status).toBe("resolved");
    // What tells instances apart.
    expect([ended.source_fingerprint, ended.starts_at]).toEqual([begun.source_fingerprint, begun.starts_at]);
  },
);

// By their own words for the same thing, or by a map where their word means another thing to others.
it.each([
  ["datadog", "P1", "P0"],
  ["datadog", "error", "P1"],
  ["newrelic", "LOW", "P3"],
  ["zabbix", "Average", "P2"],
  ["zabbix", "Information", "P3"],
  ["zabbix", "Not classified", "P3"],
  ["librenms", "ok", "P3"],
  ["gcp", "Error", "P1"],
  ["opsgenie", "P5", "P3"],
])("%s means by %s what is %s here", (preset, word, severity) => {
  const { fields, values } = PRESETS[preset]!;
  const path = fields.severity!.split(" || ")[0]!.split(".");
  const body = path.reduceRight<unknown>((below, key) => ({ [key]: below }), word);
  const { decode } = mappedSource(
    customSource.parse({ name: "x", fields: { alertname: "'X'", severity: fields.severity }, values }),
  );
  const decoded = decode(body);
  if (!decoded.ok) throw new Error(decoded.reason);
  const [alert] = decoded.alerts;
  expect(normalise(alert!, "custom:x", new Date(), loadClassification()).severity).toBe(severity);
});

it("leaves out what is no news of an alert, and lets SNS be confirmed from the dead letters", () => {
  const opsgenie = mappedSource(customSource.parse({ name: "x", preset: "opsgenie" }));
  expect(opsgenie.decode({ ...CASES.opsgenie?.firing, action: "AddNote" })).toMatchObject({
    ok: true,
    alerts: [],
  });
  const cloudwatch = mappedSource(customSource.parse({ name: "x", preset: "cloudwatch" }));
  const confirmation = {
    Type: "SubscriptionConfirmation",
    Message: "You have chosen",
    SubscribeURL: "https://x",
  };
  expect(cloudwatch.decode(confirmation)).toMatchObject({ ok: false });
});

it("takes what an installation says over what the preset does", () => {
  const own = customSource.parse({
    name: "x",
    preset: "pingdom",
    fields: { labels: { team: "'web'" }, target_resource: "check_name" },
    values: { status: { firing: ["up"] } },
  });
  const decoded = mappedSource(own).decode({
    ...CASES.pingdom?.firing,
    current_state: "UP",
    check_type: "HTTP",
  });
  expect(decoded).toMatchObject({
    alerts: [{ status: "firing", target_resource: "Shop", labels: { team: "web", check_type: "HTTP" } }],
  });
});
