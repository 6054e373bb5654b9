import { decodeAlertmanager, inSteps, type Source, type SourceDescription } from "../../../intake/index.ts";

/** Alertmanager's webhook, version 4. */
export const alertmanager = {
  id: "alertmanager",
  describe: (): SourceDescription => ({
    name: "Prometheus Alertmanager",
    kind: "source",
    path: "/api/v1/webhooks/alertmanager",
    capabilities: ["firing", "resolved", "batch"],
  }),
  create: (): Source => ({
    id: "alertmanager",
    decode: inSteps((body) => decodeAlertmanager(body, "Alertmanager")),
  }),
};
