import { describe, expect, it } from "vitest";
import { loadClassification, normalise, type SourceAlert } from "../../../intake/index.ts";
import { grafana } from "./index.ts";

const { decode } = grafana.create();
const RULES = loadClassification([], undefined);
const normal = (alert: SourceAlert) => normalise(alert, "grafana", new Date("2026-05-04T08:00:00Z"), RULES);

function alertsOf(body: unknown): SourceAlert[] {
  const decoded = decode(body);
  if (!decoded.ok) throw new Error(decoded.reason);
  expect(decoded.rejected).toEqual([]);
  return decoded.alerts;
}

describe("Grafana's unified alerting", () => {
  const ALERT = {
    status: "firing",
    labels: { alertname: "QueueGrows", grafana_folder: "mail" },
    annotations: { summary: "it grows" },
    startsAt: "2026-05-04T09:00:00+02:00",
    endsAt: "0001-01-01T00:00:00Z",
    fingerprint: "f00f",
    generatorURL: "https://grafana.example/alerting/grafana/r1/view?orgId=1",
    silenceURL: "https://grafana.example/alerting/silence/new",
    dashboardURL: "",
    panelURL: "",
    values: { B: 17.25 },
    valueString: "[ var='B' labels={} value=17.25 ]",
  };
  const group = (alerts: object[], more: object = {}) => ({
    status: "firing",
    state: "alerting",
    version: "1",
    orgId: 1,
    alerts,
    ...more,
  });

  it("keeps the values and the links that there are beside the annotations", () => {
    expect(alertsOf(group([ALERT]))).toEqual([
      {
        status: "firing",
        labels: ALERT.labels,
        annotations: {
          summary: "it grows",
          values: '{"B":17.25}',
          valueString: ALERT.valueString,
          silenceURL: ALERT.silenceURL,
        },
        starts_at: new Date("2026-05-04T07:00:00Z"),
        ends_at: null,
        source_fingerprint: "f00f",
        generator_url: ALERT.generatorURL,
      },
    ]);
    for (const values of [null, {}, undefined])
      expect(alertsOf(group([{ ...ALERT, values }]))[0]?.annotations.values).toBeUndefined();
  });

  it("is of the organisation that the body names, where that is not the first", () => {
    const [alert] = alertsOf(group([ALERT]));
    const [other] = alertsOf(group([ALERT], { orgId: 2 }));
    expect(alert?.organisation).toBeUndefined();
    expect(other?.organisation).toBe("2");
    expect(normal(other as SourceAlert).fingerprint).not.toBe(normal(alert as SourceAlert).fingerprint);
    expect(normal(other as SourceAlert).identity).not.toBe(normal(alert as SourceAlert).identity);
  });

  it("is judged by each alert, whatever the state of the group", () => {
    const mixed = group([ALERT, { ...ALERT, status: "resolved", endsAt: "2026-05-04T08:00:00Z" }]);
    expect(alertsOf(mixed).map((alert) => alert.status)).toEqual(["firing", "resolved"]);
    expect(alertsOf({ ...mixed, state: "ok", status: "resolved" }).map((alert) => alert.status)).toEqual([
      "firing",
      "resolved",
    ]);
  });

  it.each(["DatasourceNoData", "DatasourceError"])("tells the rules apart that say %s", (alertname) => {
    const of = (rulename: string, more: object = {}) =>
      normal(
        alertsOf(
          group([{ ...ALERT, labels: { alertname, rulename, datasource_uid: "d1", ref_id: "A", ...more } }]),
        )[0] as SourceAlert,
      );
    expect(of("QueueGrows")).toMatchObject({ target_resource: "QueueGrows", status: "firing" });
    expect(of("QueueGrows").fingerprint).not.toBe(of("DiskFull").fingerprint);
    expect(of("QueueGrows", { deployment: "mail" }).target_resource).toBe("mail");
  });

  it("is one alert where a template sends no list", () => {
    const body = {
      title: "High memory",
      state: "alerting",
      labels: { severity: "critical" },
      values: { A: 1 },
    };
    expect(normal(alertsOf(body)[0] as SourceAlert)).toMatchObject({
      alert_name: "High memory",
      severity: "P0",
      status: "firing",
      annotations: { values: '{"A":1}' },
    });
    expect(alertsOf({ ...body, state: "ok" })[0]?.status).toBe("resolved");
    expect(decode({ title: "High memory", labels: {} })).toMatchObject({ ok: false });
  });
});

describe("Grafana's legacy alerting", () => {
  const RULE = {
    ruleId: 7,
    ruleName: "Mail queue",
    ruleUrl: "https://grafana.example/d/mail?tab=alert&panelId=1&orgId=1",
    orgId: 1,
    dashboardId: 2,
    panelId: 6,
    state: "alerting",
    title: "[Alerting] Mail queue",
    message: "the queue grows",
    tags: { severity: "warning" },
    evalMatches: [
      { metric: "mx1", value: 20, tags: { dc: "north", host: "mx1" } },
      { metric: "mx2", value: 30, tags: { dc: "north", host: "mx2" } },
    ],
  };
  const one = (change: object = {}) => alertsOf({ ...RULE, ...change })[0] as SourceAlert;

  it("is one alert of its rule, with the tags that all series have", () => {
    expect(one()).toEqual({
      status: "firing",
      labels: { alertname: "Mail queue", severity: "warning", dc: "north" },
      annotations: {
        summary: "the queue grows",
        title: RULE.title,
        state: "alerting",
        orgId: "1",
        dashboardId: "2",
        panelId: "6",
        evalMatches: JSON.stringify(RULE.evalMatches),
      },
      starts_at: null,
      ends_at: null,
      source_fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      generator_url: RULE.ruleUrl,
    });
  });

  it("ends with ok or paused, whatever else of the body has changed", () => {
    const before = normal(one());
    for (const state of ["ok", "OK", "paused"]) {
      const { message: _, ...rest } = { ...RULE, state, title: "[OK] Mail queue", evalMatches: [], tags: {} };
      const over = normal(alertsOf(rest)[0] as SourceAlert);
      expect(over).toMatchObject({ status: "resolved", instance_key: before.instance_key });
      expect(over.message).toBe("[OK] Mail queue");
    }
  });

  it.each(["no_data", "alerting", "execution_error", "", null])("fires in the state %j", (state) => {
    expect(one({ state }).status).toBe("firing");
  });

  it.each(["pending", "unknown", "Pending"])("is no alert in the state %j", (state) => {
    expect(alertsOf({ ...RULE, state })).toEqual([]);
  });

  it("is another alert of another rule, organisation or Grafana", () => {
    const changes = [{}, { ruleId: 8 }, { orgId: 2 }, { ruleUrl: "https://other.example/d/mail" }];
    expect(new Set(changes.map((change) => one(change).source_fingerprint)).size).toBe(changes.length);
    for (const change of [{ ruleName: "Renamed" }, { message: "other" }, { evalMatches: [] }])
      expect(one(change).source_fingerprint).toBe(one().source_fingerprint);
  });
});
