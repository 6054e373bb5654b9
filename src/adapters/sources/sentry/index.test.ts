import { describe, expect, it } from "vitest";
import { loadClassification, normalise, type SourceAlert } from "../../../intake/index.ts";
import { sentry } from "./index.ts";

const { decode } = sentry.create({ webhook_secrets: [] });
const RULES = loadClassification([], undefined);
const normal = (alert: SourceAlert) => normalise(alert, "sentry", new Date("2026-05-04T08:00:00Z"), RULES);

const ISSUE = {
  id: "4711",
  shortId: "SHOP-1A",
  title: "TypeError: price is undefined",
  culprit: "checkout.price",
  level: "error",
  status: "unresolved",
  platform: "node",
  project: { id: "17", name: "Shop", slug: "shop" },
  metadata: { type: "TypeError", value: "price is undefined" },
  permalink: "https://sentry.example/organizations/acme/issues/4711/",
  firstSeen: "2026-05-04T07:00:00Z",
  count: "3",
};
const EVENT = {
  event_id: "9f2c",
  project: 17,
  title: ISSUE.title,
  culprit: ISSUE.culprit,
  level: "error",
  platform: "node",
  metadata: ISSUE.metadata,
  release: null,
  tags: [
    ["environment", "production"],
    ["release", "shop@1.2.3"],
    ["deployment", "database"],
    ["auto_repair", "true"],
  ],
  url: "https://sentry.example/api/0/projects/acme/shop/events/9f2c/",
  web_url: "https://sentry.example/organizations/acme/issues/4711/events/9f2c/",
  issue_url: "https://sentry.example/api/0/issues/4711/",
};
const call = (data: object, action?: string) => ({ action, data, actor: {}, installation: { uuid: "u" } });

function alertsOf(body: unknown): SourceAlert[] {
  const decoded = decode(body);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.alerts;
}
const one = (body: unknown) => alertsOf(body)[0] as SourceAlert;

describe("an issue of Sentry", () => {
  it("is one alert, with what is known of it", () => {
    expect(one(call({ issue: ISSUE }, "created"))).toEqual({
      status: "firing",
      labels: {
        alertname: "TypeError",
        severity: "error",
        level: "error",
        project: "shop",
        platform: "node",
        issue_id: "4711",
        short_id: "SHOP-1A",
      },
      annotations: {
        summary: ISSUE.title,
        description: "price is undefined",
        culprit: "checkout.price",
        first_seen: ISSUE.firstSeen,
        count: "3",
      },
      starts_at: null,
      ends_at: null,
      source_fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      workload: expect.stringMatching(/^sentry:/),
      generator_url: ISSUE.permalink,
      target_resource: "shop",
    });
  });

  it.each([
    ["created", "unresolved", "firing"],
    ["unresolved", "resolved", "firing"],
    ["triggered", "unresolved", "firing"],
    ["resolved", "resolved", "resolved"],
    ["archived", "ignored", "resolved"],
    ["ignored", "ignored", "resolved"],
    [undefined, "resolved", "resolved"],
    ["something new", "ignored", "resolved"],
  ])("after the action %s, with the status %s, is %s", (action, status, expected) => {
    expect(one(call({ issue: { ...ISSUE, status } }, action)).status).toBe(expected);
  });

  it("is nothing new when it is assigned", () => {
    expect(alertsOf(call({ issue: ISSUE }, "assigned"))).toEqual([]);
  });

  it("is the same alert and the same trouble in every kind of call, whatever its latest event says", () => {
    const said = { ...EVENT, title: "TypeError: tax is undefined", issue_id: "4711" };
    const same = [
      call({ issue: ISSUE }, "created"),
      call({ issue: ISSUE }, "resolved"),
      call({ error: said }, "created"),
      call({ event: EVENT, triggered_rule: "every error" }, "triggered"),
      call({ event: { ...EVENT, issue_url: undefined } }, "triggered"),
      { id: "4711", project_slug: "shop", culprit: "x", level: "error", event: EVENT },
    ].map((body) => normal(one(body)));
    expect(new Set(same.map((alert) => alert.instance_key)).size).toBe(1);
    expect(new Set(same.map((alert) => alert.fingerprint)).size).toBe(1);
    const other = normal(one(call({ issue: { ...ISSUE, id: "4712" } }, "created")));
    expect(other.fingerprint).not.toBe(same[0]?.fingerprint);
    expect(other.instance_key).not.toBe(same[0]?.instance_key);
  });

  it.each([
    ["fatal", "P0"],
    ["error", "P1"],
    ["warning", "P2"],
    ["info", "P3"],
    ["debug", "P3"],
    ["WARNING", "P2"],
    ["loud", "P2"],
    [null, null],
  ])("of level %s has the severity %s", (level, severity) => {
    expect(normal(one(call({ issue: { ...ISSUE, level } }, "created"))).severity).toBe(severity);
  });
});

describe("an event of Sentry", () => {
  it("says where it happened and which rule was met; its tags name nothing to act on", () => {
    const alert = one(call({ event: EVENT, triggered_rule: "every error" }, "triggered"));
    expect(alert).toMatchObject({
      status: "firing",
      labels: { project: "shop", environment: "production", release: "shop@1.2.3", issue_id: "4711" },
      annotations: { triggered_rule: "every error", tags: expect.stringContaining("auto_repair") },
      target_resource: "shop",
      generator_url: EVENT.web_url,
    });
    expect(Object.keys(alert.labels)).not.toContain("deployment");
    expect(Object.keys(alert.labels)).not.toContain("auto_repair");
  });

  it("without an exception has a name all the same, and without an issue it is known by its words", () => {
    const plain = { title: "a message", level: "info", project: 17 };
    expect(one(call({ error: plain }))).toMatchObject({
      labels: { alertname: "SentryIssue" },
      annotations: { summary: "a message" },
    });
    const key = (change: object) => one(call({ error: { ...plain, ...change } })).source_fingerprint;
    expect(key({ event_id: "another" })).toBe(key({}));
    expect(key({ title: "another message" })).not.toBe(key({}));
  });

  it("of the older plugin is understood as well", () => {
    const body = {
      id: "4711",
      project: "shop",
      project_name: "Shop",
      project_slug: "shop",
      logger: null,
      level: "fatal",
      culprit: "checkout.price",
      message: "TypeError: price is undefined",
      url: "https://acme.sentry.example/issues/4711/?referrer=webhooks_plugin",
      triggering_rules: ["every error"],
      event: { ...EVENT, id: "9f2c", environment: "staging" },
    };
    expect(one(body)).toMatchObject({
      status: "firing",
      labels: { alertname: "TypeError", severity: "fatal", project: "shop", environment: "staging" },
      annotations: { summary: ISSUE.title, culprit: "checkout.price", triggered_rule: "every error" },
      target_resource: "shop",
      generator_url: body.url,
    });
  });
});

describe("a metric alert of Sentry", () => {
  const METRIC = {
    id: "99",
    title: "Too many errors",
    projects: ["shop", "cart"],
    date_started: "2026-05-04T07:00:00.123456Z",
    date_closed: null,
    alert_rule: { id: "7", name: "Errors", aggregate: "count()", query: "level:error", environment: null },
  };
  const words = {
    description_title: "Critical: Errors",
    description_text: "1000 events",
    web_url: "https://s",
  };
  const metric = (action: string, change: object = {}) =>
    one(call({ metric_alert: { ...METRIC, ...change }, ...words }, action));

  it("fires as critical or warning, and ends as resolved", () => {
    expect(normal(metric("critical"))).toMatchObject({
      alert_name: "Errors",
      severity: "P0",
      status: "firing",
      message: "Critical: Errors",
      target_resource: "shop",
      starts_at: new Date("2026-05-04T07:00:00.123Z"),
      generator_url: "https://s",
      annotations: { description: "1000 events", aggregate: "count()", projects: "shop, cart" },
    });
    expect(normal(metric("warning")).severity).toBe("P2");
    const over = normal(metric("resolved", { date_closed: "2026-05-04T07:30:00Z" }));
    expect(over).toMatchObject({ status: "resolved", ends_at: new Date("2026-05-04T07:30:00Z") });
    expect(over.instance_key).toBe(normal(metric("critical")).instance_key);
    expect(normal(metric("critical", { id: "100" })).instance_key).not.toBe(over.instance_key);
    expect(normal(metric("critical", { id: "100" })).fingerprint).toBe(over.fingerprint);
  });
});

describe("a call of Sentry", () => {
  it.each([
    call({ installation: { status: "installed", code: "c" } }, "created"),
    call({ comment: "look at this", issue_id: 4711, project_slug: "shop" }, "created"),
  ])("about no trouble is understood, and no alert: %j", (body) => {
    expect(decode(body)).toEqual({ ok: true, alerts: [], truncated: 0, rejected: [] });
  });

  it.each([
    null,
    5,
    "x",
    [],
    {},
    { data: 5 },
    { data: {} },
    { data: { issue: null } },
    { data: { event: [] } },
  ])("is not %j", (body) => {
    expect(decode(body)).toMatchObject({ ok: false, reason: expect.stringMatching(/./) });
  });
});
