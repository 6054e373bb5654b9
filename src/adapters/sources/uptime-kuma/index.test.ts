import { describe, expect, it } from "vitest";
import { loadClassification, normalise, type SourceAlert } from "../../../intake/index.ts";
import { uptimeKuma } from "./index.ts";

const { decode } = uptimeKuma.create();
const RULES = loadClassification([], undefined);
const normal = (alert: SourceAlert) =>
  normalise(alert, "uptime-kuma", new Date("2026-05-04T08:00:00Z"), RULES);

const HEARTBEAT = { monitorID: 29, status: 0, time: "2026-05-04 07:00:00.120", msg: "connect ECONNREFUSED" };
const MONITOR = {
  id: 29,
  name: "shop",
  pathName: "shops / shop",
  description: null,
  type: "http",
  url: "https://shop.example/health",
  hostname: null,
  port: null,
  tags: [
    { tag_id: 1, name: "severity", value: "critical", color: "#f00" },
    { name: "team", value: "" },
  ],
};
const down = (heartbeat: object = {}, monitor: object = {}) => ({
  heartbeat: { ...HEARTBEAT, ...heartbeat },
  monitor: { ...MONITOR, ...monitor },
  msg: "[shop] [🔴 Down] connect ECONNREFUSED",
});

function alertsOf(body: unknown): SourceAlert[] {
  const decoded = decode(body);
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.alerts;
}
const one = (heartbeat: object = {}, monitor: object = {}) =>
  alertsOf(down(heartbeat, monitor))[0] as SourceAlert;

describe("a heartbeat of Uptime Kuma", () => {
  it("that is down is an alert of its monitor, with its tags as labels", () => {
    expect(one()).toEqual({
      status: "firing",
      labels: {
        alertname: "MonitorDown",
        severity: "critical",
        team: "true",
        monitor: "shop",
        monitor_id: "29",
        monitor_type: "http",
        address: "https://shop.example/health",
      },
      annotations: { summary: "connect ECONNREFUSED", path: "shops / shop" },
      starts_at: null,
      ends_at: null,
      source_fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      generator_url: null,
      target_resource: "shop",
    });
    expect(normal(one())).toMatchObject({ severity: "P0", target_resource: "shop" });
  });

  it("that is up ends it at its own time, which is UTC", () => {
    const over = one({ status: 1, time: "2026-05-04 07:30:00", msg: "200 - OK" });
    expect(over).toMatchObject({ status: "resolved", ends_at: new Date("2026-05-04T07:30:00Z") });
    expect(normal(over).instance_key).toBe(normal(one()).instance_key);
    // Sent again while it is down, with another time: the same outage.
    expect(normal(one({ time: "2026-05-04 07:10:00" })).instance_key).toBe(normal(one()).instance_key);
  });

  it("that is pending or in maintenance is no alert", () => {
    for (const status of [2, 3, "2"]) expect(alertsOf(down({ status }))).toEqual([]);
    for (const status of [null, 4, "down", {}]) expect(decode(down({ status }))).toMatchObject({ ok: false });
  });

  it("is of the monitor that its number and name say, as two of them count from 1", () => {
    const keys = [one(), one({}, { id: 30 }), one({}, { name: "cart" })].map(
      (alert) => alert.source_fingerprint,
    );
    expect(new Set(keys).size).toBe(3);
    for (const change of [{ url: "https://new.example" }, { tags: [] }, { type: "port" }])
      expect(one({}, change).source_fingerprint).toBe(keys[0]);
  });

  it("says what is watched, in whatever way it is", () => {
    const port = { type: "port", url: "https://", hostname: "db.example", port: 5432 };
    expect(one({}, port).labels.address).toBe("db.example:5432");
    expect(one({}, { ...port, port: null }).labels.address).toBe("db.example");
    expect(one({}, { ...port, hostname: null }).labels.address).toBeUndefined();
    expect(one({}, { tags: [{ name: "deployment", value: "api" }] }).target_resource).toBeUndefined();
    expect(normal(one({}, { tags: [{ name: "deployment", value: "api" }] })).target_resource).toBe("api");
    expect(alertsOf({ heartbeat: HEARTBEAT })[0]).toMatchObject({ target_resource: "monitor 29" });
  });
});

describe("a notice of Uptime Kuma", () => {
  const notice = (msg: unknown) => ({ heartbeat: null, monitor: null, msg });

  it("that is a test is no alert, and understood", () => {
    for (const msg of ["awoooi Testing", "磁碟 Testing", "[x] Testing"])
      expect(decode(notice(msg))).toEqual({ ok: true, alerts: [], truncated: 0, rejected: [] });
  });

  it.each([
    ["will expire", 21, "P3", "TYPE-1"],
    ["will be expired", 7, "P2", "TYPE-3"],
    ["will expire", 2, "P1", "TYPE-3"],
    ["will expire", -1, "P1", "TYPE-3"],
  ])("of a certificate that %s in %i days is %s", (words, days, severity, notification_type) => {
    const msg = `[shop [eu]][https://shop.example] server certificate shop.example ${words} in ${days} days`;
    const [alert] = alertsOf(notice(msg));
    expect(normal(alert as SourceAlert)).toMatchObject({
      alert_name: "TLSCertExpiringSoon",
      alert_type: "ssl_expiry",
      alert_category: "ssl_cert",
      notification_type,
      severity,
      target_resource: "shop [eu]",
      message: msg,
      labels: { days_remaining: String(days), certificate: "shop.example", address: "https://shop.example" },
    });
  });

  it("of one thing is another alert a week later, and one trouble", () => {
    const of = (days: number) =>
      normal(
        alertsOf(notice(`[a][https://a] server certificate a will expire in ${days} days`))[0] as SourceAlert,
      );
    expect(of(7).instance_key).not.toBe(of(14).instance_key);
    expect(of(7).fingerprint).toBe(of(14).fingerprint);
    expect(of(7).instance_key).toBe(of(7).instance_key);
  });

  it("of a domain is an alert too", () => {
    expect(alertsOf(notice("Domain name shop.example will expire in 14 days"))).toMatchObject([
      { target_resource: "shop.example", labels: { alertname: "DomainExpiringSoon", days_remaining: "14" } },
    ]);
  });

  it.each(["something new", "", null, 5, `${"[a]".repeat(100_000)} will expire in 7 days`])(
    "that says %.20s is kept for people to see",
    (msg) => {
      expect(decode(notice(msg))).toMatchObject({ ok: false });
    },
  );

  it.each([null, [], "x", 5, {}, { heartbeat: "x" }, { heartbeat: { status: 0 } }])("is not %j", (body) => {
    expect(decode(body)).toMatchObject({ ok: false });
  });
});
