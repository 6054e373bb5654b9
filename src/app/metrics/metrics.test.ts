import { expect, it } from "vitest";
import type { Received } from "../../pipeline/index.ts";
import { createMetrics } from "./metrics.ts";

const RECEIPT: Received = {
  ...{ seq: 1, source: "grafana", sender: "10.0.0.1", bytes: 10, replayed: false },
  alerts: [],
  error: null,
};

it("takes a source for working by what it sends that is parsed, and no body that is a dead letter whole", async () => {
  const { registry, received } = createMetrics(["grafana"]);
  const last = async () => {
    const found = await registry.getSingleMetric("awoooi_alert_chain_last_success_timestamp")?.get();
    return found?.values[0]?.value;
  };
  received({ ...RECEIPT, error: "not an alert" });
  received({ ...RECEIPT, error: "more alerts than one body may have", truncated: true });
  expect(await last()).toBe(0);
  received({
    ...RECEIPT,
    alerts: [{ status: "firing", fingerprint: "f" }],
    error: "[1] has no labels",
  });
  const some = await last();
  expect(some).toBeGreaterThan(0);
  received(RECEIPT);
  expect(await last()).toBeGreaterThan(0);
});
