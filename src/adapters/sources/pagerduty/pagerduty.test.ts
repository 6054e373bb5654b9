import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../../test/support/random.ts";
import { loadClassification, normalise, type SourceAlert } from "../../../intake/index.ts";
import { pagerduty } from "./index.ts";

const { decode } = pagerduty.create({ routing_keys: [] });
const RULES = loadClassification();
const PAYLOAD = {
  summary: "Disk at 93.5 % on web-1",
  source: "web-1.example",
  severity: "critical",
  timestamp: "2026-05-04T07:00:00Z",
  component: "postgres",
  group: "prod-db",
  class: "disk full",
  custom_details: { free: "2 GB", namespace: "prod", pod: "pg-0", load: [1, 2] },
};
const TRIGGER = {
  routing_key: "R0UT1NGK3Y0000000000000000000000",
  event_action: "trigger",
  dedup_key: "disk/web-1",
  payload: PAYLOAD,
  client: "Nagios",
  client_url: "https://nagios.example/web-1",
  links: [{ href: "https://wiki.example/disk", text: "runbook" }, { href: "https://b.example" }, 5, {}],
  images: [{ src: "https://graph.example/1.png", alt: "free space" }],
};

function one(change: Record<string, unknown> = {}, of: Record<string, unknown> = {}): SourceAlert {
  const decoded = decode({ ...TRIGGER, payload: { ...PAYLOAD, ...of }, ...change });
  if (!decoded.ok) throw new Error(decoded.reason);
  return decoded.alerts[0]!;
}
const reason = (body: unknown) => {
  const decoded = decode(body);
  return decoded.ok ? null : decoded.reason;
};

describe("a trigger", () => {
  it("is understood field by field, without its routing key", () => {
    expect(one()).toEqual({
      status: "firing",
      labels: {
        alertname: "disk full",
        severity: "critical",
        component: "postgres",
        group: "prod-db",
        class: "disk full",
        namespace: "prod",
        pod: "pg-0",
      },
      annotations: {
        summary: "Disk at 93.5 % on web-1",
        source: "web-1.example",
        timestamp: "2026-05-04T07:00:00Z",
        client: "Nagios",
        links: "https://wiki.example/disk (runbook)\nhttps://b.example",
        images: "https://graph.example/1.png (free space)",
        free: "2 GB",
        load: "[1,2]",
      },
      starts_at: null,
      ends_at: null,
      source_fingerprint: "disk/web-1",
      generator_url: "https://nagios.example/web-1",
    });
    expect(JSON.stringify(decode(TRIGGER))).not.toContain(TRIGGER.routing_key);
  });

  it("has the severity that PagerDuty says, in its own word", () => {
    const said = ["critical", "error", "warning", "info", "ERROR", "odd"];
    const alerts = said.map((severity) => one({}, { severity }));
    expect(alerts.map(({ labels }) => labels.severity)).toEqual(said);
    expect(alerts.map((alert) => normalise(alert, "pagerduty", new Date(), RULES).severity)).toEqual([
      "P0",
      "P1",
      "P2",
      "P3",
      "P1",
      "P2",
    ]);
    expect(one({}, { severity: null }).labels.severity).toBeUndefined();
  });

  it("has a label that says what may be done, beside those that name things", () => {
    const { labels, annotations } = one({}, { custom_details: { auto_repair: false, load: 1 } });
    expect(labels.auto_repair).toBe("false");
    expect(annotations).not.toHaveProperty("auto_repair");
  });

  it("is called by its class, else by its details, else by its summary without what is measured", () => {
    const name = (of: Record<string, unknown>) =>
      one({}, { class: null, custom_details: null, ...of }).labels.alertname;
    expect(name({ custom_details: { alertname: "DiskFull" } })).toBe("DiskFull");
    expect(name({})).toBe("Disk at … % on web-1");
    expect(name({ summary: "[FIRING:2] Latency 250 ms (prod 10.0.0.1)" })).toBe("Latency … ms (prod …)");
    expect(name({ summary: "x".repeat(1_000) })).toHaveLength(200);
  });

  it("is about its component, else what its details name, else its source", () => {
    expect(one().target_resource).toBeUndefined();
    expect(one({}, { component: null }).target_resource).toBeUndefined();
    expect(one({}, { component: null, custom_details: {} }).target_resource).toBe("web-1.example");
    expect(one({}, { custom_details: "free text" }).annotations.custom_details).toBe("free text");
  });

  it("without a key gets one that is the same for the same event, whatever routes it", () => {
    const key = (change: Record<string, unknown>, of = {}) =>
      one({ dedup_key: undefined, ...change }, of).source_fingerprint;
    expect(key({})).toMatch(/^[0-9a-f]{32}$/);
    expect(key({ dedup_key: " " })).not.toBe(key({ dedup_key: "a" }));
    expect(key({ routing_key: "another" })).toBe(key({}));
    expect(key({}, { summary: "other" })).not.toBe(key({}));
    const { payload, ...rest } = TRIGGER;
    expect(key({ payload, ...rest, dedup_key: undefined })).toBe(key({}));
  });
});

describe("other actions", () => {
  it("resolve by the key alone, and acknowledge without firing", () => {
    expect(decode({ event_action: "resolve", dedup_key: "k" })).toMatchObject({
      ok: true,
      alerts: [{ status: "resolved", source_fingerprint: "k", starts_at: null }],
    });
    expect(decode({ event_action: "acknowledge", dedup_key: "k" })).toEqual({
      ok: true,
      alerts: [],
      acknowledged: ["k"],
      truncated: 0,
      rejected: [],
    });
  });

  it("are refused where something is missing, with all of it", () => {
    expect(reason({ event_action: "trigger" })).toBe("'payload.summary' is missing or blank");
    expect(reason({ event_action: "resolve" })).toBe("'dedup_key' is missing or blank");
    expect(reason({ event_action: "close", dedup_key: "k".repeat(256) })).toMatch(
      /'event_action' must be .*; 'dedup_key' has more than 255/,
    );
    expect(reason({ ...TRIGGER, payload: "text" })).toContain("payload.summary");
    for (const body of [null, 5, "x", true]) expect(reason(body)).toContain("not an object");
    expect(reason([])).not.toBeNull();
  });
});

it("is read without throwing, whatever JSON it is", () => {
  const field = fc.oneof(
    fc.constantFrom<unknown>("trigger", "resolve", "acknowledge", "a\u0000\ud800b", null, PAYLOAD),
    fc.jsonValue(),
  );
  const names = [...Object.keys(TRIGGER), ...Object.keys(PAYLOAD)];
  const shaped = (keys: string[]) =>
    fc.record(Object.fromEntries(keys.map((key) => [key, field])), { requiredKeys: [] });
  const body = fc.oneof(
    fc.jsonValue(),
    shaped(names),
    fc.record({
      event_action: fc.constant("trigger"),
      dedup_key: field,
      links: field,
      payload: shaped(Object.keys(PAYLOAD)),
    }),
  );
  fc.assert(
    fc.property(body, (value) => {
      const decoded = decode(JSON.parse(JSON.stringify(value)));
      if (!decoded.ok) return;
      for (const { labels, annotations, source_fingerprint, target_resource } of decoded.alerts) {
        const said = [...Object.entries(labels), ...Object.entries(annotations)].flat();
        for (const text of [...said, source_fingerprint ?? "", target_resource ?? ""])
          expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
      }
    }),
    { seed: SEED, numRuns: 500 },
  );
  const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
  expect(one({}, { custom_details: deep }).labels.alertname).toBe("disk full");
  expect(reason({ event_action: "trigger", payload: { summary: "s", custom_details: deep } })).toContain(
    "deep",
  );
  expect(one({}, { custom_details: { big: "x".repeat(1 << 20) } }).annotations.big).toHaveLength(1 << 20);
});
