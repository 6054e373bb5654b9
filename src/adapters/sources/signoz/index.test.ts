import { describe, expect, it } from "vitest";
import { signoz } from "./index.ts";

const { decode } = signoz.create();
const LABELS = { alertname: "APIHighErrorRate", ruleId: "14", "threshold.name": "critical", service: "api" };
const ALERT = {
  status: "firing",
  labels: LABELS,
  annotations: {
    related_logs: "https://signoz.example/logs",
    related_traces: "https://signoz.example/traces",
  },
  startsAt: "2026-05-04T07:00:00Z",
  fingerprint: "f00f",
};

describe("SigNoz's webhook", () => {
  it("is Alertmanager's, with its own labels and annotations as they are", () => {
    expect(decode({ alerts: [ALERT, { ...ALERT, status: "resolved" }] })).toMatchObject({
      ok: true,
      alerts: [
        { status: "firing", labels: LABELS, annotations: ALERT.annotations, source_fingerprint: "f00f" },
        { status: "resolved" },
      ],
    });
  });

  it("is one flat alert, which has its name beside the labels or in them", () => {
    const { labels, ...flat } = ALERT;
    const { alertname, ...others } = labels;
    const expected = { ok: true, rejected: [], alerts: [{ ...decoded(), labels: { ...others, alertname } }] };
    expect(decode({ ...flat, alertname, labels: others })).toMatchObject(expected);
    expect(decode({ ...flat, labels })).toMatchObject(expected);
    expect(decode({ ...flat, alertname, labels: null })).toMatchObject({
      alerts: [{ labels: { alertname } }],
    });
    expect(decode({ ...flat, alertname, status: "resolved" })).toMatchObject({
      alerts: [{ status: "resolved" }],
    });
    expect(decode({ alertname })).toMatchObject({ alerts: [{ status: "firing", starts_at: null }] });
  });

  const decoded = () => ({
    status: "firing",
    annotations: ALERT.annotations,
    starts_at: new Date(ALERT.startsAt),
    source_fingerprint: "f00f",
  });

  it.each([null, [], "x", {}, { labels: {} }, { alertname: "" }, { alertname: "x", alerts: {} }])(
    "is not %j",
    (body) => {
      expect(decode(body)).toMatchObject({ ok: false, reason: expect.stringContaining("SigNoz") });
    },
  );
});
