import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../../test/support/random.ts";
import type { SourceAlert } from "../../../intake/index.ts";
import { alertmanager } from "./index.ts";

const { decode } = alertmanager.create();
const FULL = {
  status: "firing",
  labels: { alertname: "HighCPUUsage", severity: "critical" },
  annotations: { summary: "busy" },
  startsAt: "2026-05-04T07:00:00.5Z",
  endsAt: "0001-01-01T00:00:00Z",
  generatorURL: "http://prometheus/graph",
  fingerprint: "f00f",
};
const BODY = {
  version: "4",
  groupKey: "{}:{}",
  truncatedAlerts: 3,
  status: "firing",
  receiver: "awoooi",
  groupLabels: {},
  commonLabels: { alertname: "Common" },
  commonAnnotations: { summary: "common" },
  externalURL: "http://am",
};
function alertsOf(...alerts: unknown[]): SourceAlert[] {
  const decoded = decode({ ...BODY, alerts });
  if (!decoded.ok) throw new Error(decoded.reason);
  expect(decoded.rejected).toEqual([]);
  return decoded.alerts;
}
const one = (change: Record<string, unknown>) => alertsOf({ ...FULL, ...change })[0]!;
const without = (key: string) => Object.fromEntries(Object.entries(FULL).filter(([name]) => name !== key));

describe("Alertmanager's webhook", () => {
  it("is understood as it is documented", () => {
    expect(decode({ ...BODY, alerts: [FULL] })).toEqual({
      ok: true,
      external_url: "http://am",
      truncated: 3,
      rejected: [],
      alerts: [
        {
          status: "firing",
          labels: FULL.labels,
          annotations: FULL.annotations,
          starts_at: new Date("2026-05-04T07:00:00.5Z"),
          ends_at: null,
          source_fingerprint: "f00f",
          generator_url: "http://prometheus/graph",
        },
      ],
    });
  });

  it("needs no field of an alert, nor of the body besides its alerts", () => {
    for (const key of Object.keys(FULL)) expect(alertsOf(without(key))).toHaveLength(1);
    expect(alertsOf({})[0]).toEqual({
      status: "firing",
      labels: BODY.commonLabels,
      annotations: BODY.commonAnnotations,
      starts_at: null,
      ends_at: null,
      source_fingerprint: null,
      generator_url: null,
    });
    expect(decode({ alerts: [FULL] })).toMatchObject({ ok: true, truncated: 0, rejected: [] });
    for (const key of Object.keys(BODY)) {
      const body = Object.fromEntries(
        Object.entries({ ...BODY, alerts: [FULL] }).filter(([name]) => name !== key),
      );
      expect(decode(body)).toMatchObject({ ok: true, rejected: [] });
    }
    expect(decode({ alerts: [] })).toMatchObject({ ok: true, alerts: [] });
  });

  it("takes a groupKey, version or count of any type, and fields that it does not know", () => {
    for (const odd of [null, 4, {}, [], "x", -1, 1.5, true]) {
      const body = {
        ...BODY,
        groupKey: odd,
        version: odd,
        truncatedAlerts: odd,
        orgId: 1,
        routeLabels: {},
        alerts: [{ ...FULL, values: { A: 1 }, silenceURL: "x" }],
      };
      expect(decode(body)).toMatchObject({ ok: true, rejected: [], truncated: odd === 4 ? 4 : 0 });
    }
  });

  it("judges firing or resolved by each alert, and by the group only where an alert says nothing", () => {
    const statuses = alertsOf(FULL, { ...FULL, status: "resolved" }, without("status"), {
      ...FULL,
      status: 5,
    });
    expect(statuses.map((alert) => alert.status)).toEqual(["firing", "resolved", "firing", "firing"]);
    const group = decode({ ...BODY, status: "resolved", alerts: [without("status"), FULL] });
    expect(group.ok && group.alerts.map((alert) => alert.status)).toEqual(["resolved", "firing"]);
  });

  it("reads times with any offset, and none where there is none to read", () => {
    expect(one({ startsAt: "2026-05-04T09:00:00+02:00" }).starts_at).toEqual(
      new Date("2026-05-04T07:00:00Z"),
    );
    expect(one({ startsAt: "2026-05-04T07:00:00.123456789-01:30" }).starts_at).toEqual(
      new Date("2026-05-04T08:30:00.123Z"),
    );
    for (const startsAt of [
      "0001-01-01T00:00:00Z",
      "",
      "soon",
      null,
      1714806000,
      {},
      "+275760-09-13T00:00:00Z",
      "1970-01-01T00:00:00Z",
    ]) {
      expect(one({ startsAt }).starts_at).toBeNull();
    }
    const ended = { status: "resolved", endsAt: "2026-05-04T07:30:00Z" };
    expect(one(ended).ends_at).toEqual(new Date(ended.endsAt));
    expect(one({ ...ended, status: "firing" }).ends_at).toBeNull();
  });

  it("turns labels of any type to text that a database can hold", () => {
    const { labels } = one({
      labels: {
        n: 5,
        b: false,
        o: { x: [1] },
        none: null,
        nul: "a\0b",
        half: "\ud800x",
        "k\0": "v",
        smile: "\u{1f600}",
      },
    });
    expect(labels).toEqual({
      n: "5",
      b: "false",
      o: '{"x":[1]}',
      nul: "a\u{fffd}b",
      half: "\u{fffd}x",
      "k\u{fffd}": "v",
      smile: "\u{1f600}",
    });
    for (const odd of [null, "text", 5, [], true])
      expect(one({ labels: odd }).labels).toEqual(BODY.commonLabels);
    expect(one({ fingerprint: 7, generatorURL: {} })).toMatchObject({
      source_fingerprint: null,
      generator_url: null,
    });
    expect(one({ fingerprint: "" }).source_fingerprint).toBeNull();
  });

  it("keeps the good of a list when some of it is bad, and says what was", () => {
    const decoded = decode({ ...BODY, alerts: [FULL, null, "x", FULL, 5] });
    expect(decoded).toMatchObject({
      ok: true,
      rejected: [
        expect.stringContaining("[1]"),
        expect.stringContaining("[2]"),
        expect.stringContaining("[4]"),
      ],
    });
    expect(decoded.ok && decoded.alerts).toHaveLength(2);
  });

  it("is one alert where there is no list of them", () => {
    expect(decode(FULL)).toEqual(decode({ alerts: [FULL] }));
    expect(decode({ ...FULL, alertname: "Beside", labels: {} })).toMatchObject({
      alerts: [{ labels: { alertname: "Beside" } }],
    });
    expect(decode({ ...BODY, title: "t", summary: "s" })).toMatchObject({
      alerts: [{ labels: BODY.commonLabels, annotations: { title: "t", summary: "common" } }],
    });
  });

  it.each([undefined, null, 5, "x", true, [], {}, { alerts: null }, { alerts: {} }, { alerts: "x" }, [FULL]])(
    "is not the body %j",
    (body) => {
      expect(decode(body)).toMatchObject({ ok: false, reason: expect.stringContaining("alerts") });
    },
  );

  it("never throws, whatever JSON it is given", () => {
    const field = fc.oneof(fc.constantFrom(...Object.values(FULL), undefined), fc.jsonValue());
    const alert = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          status: field,
          labels: field,
          annotations: field,
          startsAt: field,
          endsAt: field,
          fingerprint: field,
          generatorURL: field,
        },
        { requiredKeys: [] },
      ),
    );
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          status: field,
          alerts: fc.array(alert),
          commonLabels: field,
          commonAnnotations: field,
          truncatedAlerts: field,
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(body, (value) => {
        const decoded = decode(JSON.parse(JSON.stringify(value)));
        if (!decoded.ok) return;
        for (const one of decoded.alerts) {
          const texts = [...Object.entries(one.labels), ...Object.entries(one.annotations)].flat();
          for (const text of texts) expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
    const deep = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`);
    expect(alertsOf({ labels: { deep, alertname: "A" } })[0]?.labels.alertname).toBe("A");
    expect(alertsOf({ labels: JSON.parse('{"__proto__": "x", "constructor": "y"}') })).toHaveLength(1);
  });
});
