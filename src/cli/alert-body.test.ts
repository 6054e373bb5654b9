import { describe, expect, it } from "vitest";
import { alertmanagerBody, labelFingerprint } from "./alert-body.ts";

describe("labelFingerprint", () => {
  // From the tests of github.com/prometheus/common/model.
  it.each([
    [{}, 14695981039346656037n],
    [{ name: "garland, briggs", fear: "love is not enough" }, 5799056148416392346n],
  ])("is Prometheus's own for %o", (labels, expected) => {
    expect(labelFingerprint(labels as Record<string, string>)).toBe(expected.toString(16).padStart(16, "0"));
  });

  it("does not depend on the order of the labels", () => {
    expect(labelFingerprint({ a: "1", b: "2" })).toBe(labelFingerprint({ b: "2", a: "1" }));
  });
});

describe("alertmanagerBody", () => {
  it("names the alert as it was named, whatever the labels say", () => {
    const body = alertmanagerBody({
      name: 'A"b',
      labels: { alertname: "other" },
      annotations: {},
      resolved: false,
      starts_at: new Date("2026-07-01T12:00:00Z"),
      ends_at: null,
      fingerprint: undefined,
    });
    expect(body).toMatchObject({ commonLabels: { alertname: 'A"b' }, groupKey: '{}:{alertname="A\\"b"}' });
  });
});
