import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../../test/support/random.ts";
import type { SourceAlert } from "../../../intake/index.ts";
import { generic } from "./index.ts";

const { decode } = generic.create();
const FULL = {
  alert_type: "high_cpu",
  severity: "critical",
  source: "grafana",
  target_resource: "checkout",
  namespace: "prod",
  message: "CPU over 95 %",
  metrics: { cpu: 97.5 },
  labels: { team: "shop" },
};

function alertsOf(body: unknown): SourceAlert[] {
  const decoded = decode(body);
  if (!decoded.ok) throw new Error(decoded.reason);
  expect(decoded.rejected).toEqual([]);
  return decoded.alerts;
}
const one = (change: Record<string, unknown> = {}) => alertsOf({ ...FULL, ...change })[0]!;

describe("a generic alert", () => {
  it("is understood field by field", () => {
    expect(one()).toEqual({
      status: "firing",
      labels: { team: "shop", alertname: "high_cpu", severity: "critical", namespace: "prod" },
      annotations: { summary: "CPU over 95 %", metrics: '{"cpu":97.5}' },
      starts_at: null,
      ends_at: null,
      source_fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      generator_url: null,
      source: "grafana",
      alert_type: "high_cpu",
      target_resource: "checkout",
      position: 0,
    });
  });

  it("has the name of its label, else its type", () => {
    expect(one({ labels: { alertname: "NodeBusy" } }).labels.alertname).toBe("NodeBusy");
    expect(one({ labels: { alertname: "" } }).labels.alertname).toBe("high_cpu");
    expect(alertsOf({ message: "only words" })[0]?.labels).toEqual({});
  });

  it("fires unless it says that it is resolved, and tells when it began and ended", () => {
    for (const status of [undefined, null, "firing", "FIRING", "odd", 5])
      expect(one({ status }).status).toBe("firing");
    for (const status of ["resolved", "Resolved", " resolved "])
      expect(one({ status }).status).toBe("resolved");
    const [start, end] = ["2026-05-04T07:00:00Z", "2026-05-04T09:30:00+02:00"];
    for (const [startsAt, endsAt] of [
      ["startsAt", "endsAt"],
      ["starts_at", "ends_at"],
    ] as const) {
      const ended = one({ status: "resolved", [startsAt]: start, [endsAt]: end });
      expect(ended.starts_at).toEqual(new Date(start));
      expect(ended.ends_at).toEqual(new Date("2026-05-04T07:30:00Z"));
      expect(one({ [startsAt]: start, [endsAt]: end }).ends_at).toBeNull();
      expect(one({ [startsAt]: "yesterday" }).starts_at).toBeNull();
    }
  });

  it("takes what it is about from kubectl's way of writing it", () => {
    const pod = one({ target_resource: "pod/web-7d4b9c5d8-x2k9p" });
    expect(pod.labels.pod).toBe("web-7d4b9c5d8-x2k9p");
    expect(pod.target_resource).toBeUndefined();
    expect(one({ target_resource: "Deployments/api" }).labels.deployment).toBe("api");
    expect(one({ target_resource: "http://shop/health" }).target_resource).toBe("http://shop/health");
  });

  it("is the same alert whatever it says, measures and how bad it is, and another elsewhere", () => {
    const key = (change: object) => one(change as Record<string, unknown>).source_fingerprint;
    const same = [{ message: "other" }, { metrics: { cpu: 1 } }, { severity: "low" }, { status: "resolved" }];
    for (const change of same) expect(key(change)).toBe(key({}));
    const other = [
      { alert_type: "high_memory" },
      { target_resource: "cart" },
      { namespace: "test" },
      { source: "sentry" },
      { labels: { team: "other" } },
    ];
    expect(new Set([{}, ...other].map(key)).size).toBe(other.length + 1);
    expect(key({ fingerprint: "mine" })).toBe("mine");
  });

  it("turns values of any type to text that a database can hold", () => {
    const odd = one({
      alert_type: 5,
      severity: true,
      source: {},
      target_resource: ["a"],
      namespace: 7,
      message: { text: "a\u0000b" },
      metrics: "97 %",
      labels: { n: 5, none: null, half: "\ud800x" },
    });
    expect(odd).toMatchObject({
      labels: { alertname: "5", severity: "true", namespace: "7", n: "5", half: "\u{fffd}x" },
      annotations: { summary: '{"text":"a\\u0000b"}', metrics: "97 %" },
      source: "{}",
      target_resource: '["a"]',
    });
    expect(one({ message: "a\u0000b" }).annotations.summary).toBe("a\u{fffd}b");
    for (const labels of [null, 5, "x", []]) expect(one({ labels }).labels.alertname).toBe("high_cpu");
    for (const metrics of [null, {}, [], ""]) expect(one({ metrics }).annotations.metrics).toBeUndefined();
  });
});

describe("a body of alerts", () => {
  it("is one, a list, or a list under `alerts`", () => {
    expect(alertsOf([FULL, FULL])).toHaveLength(2);
    expect(alertsOf({ alerts: [FULL] })).toHaveLength(1);
    expect(alertsOf([])).toEqual([]);
    expect(alertsOf([FULL, FULL]).map((alert) => alert.position)).toEqual([0, 1]);
  });

  it("keeps the good of a list when some of it is bad, each at its own place", () => {
    const decoded = decode([FULL, 5, {}, FULL]);
    expect(decoded).toMatchObject({
      ok: true,
      rejected: [expect.stringContaining("[1] is not"), expect.stringContaining("[2] has no")],
    });
    expect(decoded.ok && decoded.alerts.map((alert) => alert.position)).toEqual([0, 3]);
  });

  it.each([undefined, null, 5, "x", true, {}, { severity: "critical" }, { alert_type: null, message: " " }])(
    "is not %j",
    (body) => {
      expect(decode(body)).toMatchObject({ ok: false });
    },
  );

  it("is read without throwing, whatever JSON it is", () => {
    const field = fc.oneof(
      fc.constantFrom<unknown>(...Object.values(FULL), "resolved", null),
      fc.jsonValue(),
    );
    const alert = fc.record(
      {
        status: field,
        alert_type: field,
        severity: field,
        source: field,
        target_resource: field,
        namespace: field,
        message: field,
        metrics: field,
        labels: field,
        annotations: field,
        startsAt: field,
        fingerprint: field,
      },
      { requiredKeys: [] },
    );
    const body = fc.oneof(fc.jsonValue(), alert, fc.array(alert), fc.record({ alerts: fc.array(alert) }));
    fc.assert(
      fc.property(body, (value) => {
        const decoded = decode(JSON.parse(JSON.stringify(value)));
        if (!decoded.ok) return;
        for (const { labels, annotations, source, target_resource } of decoded.alerts) {
          const said = [...Object.entries(labels), ...Object.entries(annotations)].flat();
          for (const text of [...said, source ?? "", target_resource ?? ""])
            expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
    const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
    expect(one({ labels: { deep }, metrics: deep, message: deep }).labels.alertname).toBe("high_cpu");
  });
});
