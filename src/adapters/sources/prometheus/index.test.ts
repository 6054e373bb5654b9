import { describe, expect, it } from "vitest";
import { loadClassification, normalise, type SourceAlert } from "../../../intake/index.ts";
import { prometheus } from "./index.ts";

const { decode } = prometheus.create();
const CLASSIFICATION = loadClassification();
const NOW = new Date("2026-05-04T08:00:00Z");

const decoded = (...alerts: unknown[]) => {
  const result = decode(alerts);
  if (!result.ok) throw new Error(result.reason);
  return result;
};
const normalised = (raw: object) =>
  normalise(decoded(raw).alerts[0] as SourceAlert, "prometheus", NOW, CLASSIFICATION);

describe("what Prometheus sends", () => {
  const sent = {
    labels: { alertname: "InstanceDown", instance: "web-1:9100", job: "node", empty: "" },
    annotations: { summary: "web-1 is down" },
    startsAt: "2026-05-04T07:50:00.123Z",
    endsAt: "2026-05-04T08:04:00.123Z",
    generatorURL: "http://prometheus.example/graph?g0.expr=up+%3D%3D+0",
  };

  it("fires until its end, and is resolved when that has passed", () => {
    expect(normalised(sent)).toMatchObject({
      status: "firing",
      alert_name: "InstanceDown",
      source: "prometheus",
      starts_at: new Date(sent.startsAt),
      ends_at: null,
      holds_until: new Date(sent.endsAt),
      labels: { alertname: "InstanceDown", instance: "web-1:9100", job: "node" },
      generator_url: sent.generatorURL,
    });
    for (const endsAt of [NOW.toISOString(), "2026-05-04T07:59:59Z"])
      expect(normalised({ ...sent, endsAt })).toMatchObject({
        status: "resolved",
        ends_at: new Date(endsAt),
      });
    // Go's zero time, and what is no time, say nothing.
    for (const endsAt of [undefined, "0001-01-01T00:00:00Z", "soon", 7])
      expect(normalised({ ...sent, endsAt })).toMatchObject({ status: "firing", holds_until: null });
  });

  it("is one instance by its labels: whatever its start, annotations and empty labels are", () => {
    const { instance_key } = normalised(sent);
    const { empty: _, ...labels } = sent.labels;
    for (const other of [
      { startsAt: "2026-05-04T07:50:20Z" },
      { annotations: {} },
      { labels },
      { endsAt: "2026-05-04T07:59:00Z" },
    ])
      expect(normalised({ ...sent, ...other }).instance_key).toBe(instance_key);
    expect(normalised({ ...sent, labels: { ...labels, job: "other" } }).instance_key).not.toBe(instance_key);
  });

  it("says which of them it did not understand, and takes the others", () => {
    const { alerts, rejected } = decoded(
      sent,
      "a text",
      { labels: {} },
      { labels: { alertname: "" } },
      { labels: { "": "x", a: "b" } },
      { ...sent, endsAt: "2026-05-04T07:00:00Z" },
      { labels: { alertname: "Só-utf8", "label with spaces": 1 } },
    );
    expect(alerts.map(({ labels }) => labels.alertname)).toEqual(["InstanceDown", "Só-utf8"]);
    expect(rejected).toEqual([
      "[1] is not an object",
      "[2] has no labels",
      "[3] has no labels",
      "[4] has a label without a name",
      "[5] ends before it starts",
    ]);
    for (const body of [{}, { alerts: [] }, "x", null, 7]) expect(decode(body)).toMatchObject({ ok: false });
  });
});
