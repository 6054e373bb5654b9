import { describe, expect, it } from "vitest";
import { signalSource } from "./index.ts";

const { decode } = signalSource.create();

const SIGNAL = {
  source: "cron",
  alert_name: "QueueGrows",
  severity: "critical",
  namespace: "prod",
  target: "deployment/mailer",
  message: "12,000 mails wait",
  labels: { queue: "out", size: 12_000 },
  annotations: { runbook: "https://runbooks.example.org/queue" },
};

describe("a signal", () => {
  it("says in its own words what an alert says", () => {
    const { ok, ...decoded } = decode(SIGNAL);
    expect(ok).toBe(true);
    expect(decoded).toMatchObject({
      alerts: [
        {
          status: "firing",
          source: "cron",
          labels: {
            alertname: "QueueGrows",
            severity: "critical",
            namespace: "prod",
            deployment: "mailer",
            queue: "out",
            size: "12000",
          },
          annotations: { runbook: "https://runbooks.example.org/queue", summary: "12,000 mails wait" },
        },
      ],
      truncated: 0,
      rejected: [],
    });
  });

  it("has no start, whatever it says: it is of the moment in which it comes", () => {
    const decoded = decode({ ...SIGNAL, startsAt: "2026-05-04T08:00:00Z", endsAt: "2026-05-04T09:00:00Z" });
    expect(decoded).toMatchObject({ alerts: [{ starts_at: null, ends_at: null }] });
  });

  it("names a target that is no Kubernetes object as it is", () => {
    expect(decode({ ...SIGNAL, target: "mail relay" })).toMatchObject({
      alerts: [{ target_resource: "mail relay" }],
    });
  });

  it.each([
    ["wrong types", { alert_name: 7, severity: ["bad"], labels: "none", annotations: null, source: {} }],
    ["only a message", { message: "something is odd" }],
    ["only a label", { labels: { alertname: "Odd" } }],
  ])("is understood as far as it can be: %s", (_, body) => {
    expect(decode(body)).toMatchObject({ ok: true, alerts: [{ status: "firing" }] });
  });

  it("comes alone or with others, of which each is judged by itself", () => {
    for (const body of [[SIGNAL, 1, {}], { alerts: [SIGNAL, 1, {}] }]) {
      expect(decode(body)).toMatchObject({
        ok: true,
        alerts: [{ position: 0 }],
        rejected: [
          "alerts[1] is not an object",
          "alerts[2] has no `alert_name`, no label `alertname`, no `message`",
        ],
      });
    }
  });

  it.each([null, 7, "text", {}, [[]], { alerts: {} }])("is not %j", (body) => {
    const decoded = decode(body);
    expect(decoded.ok ? decoded.rejected.length : 1).toBe(1);
  });
});
