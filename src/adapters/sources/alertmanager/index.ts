import { alertmanagerCall } from "../../../contract/webhook.ts";
import { decodeAlertmanager, decodeInSteps, type Source, type SourceKind } from "../../../intake/index.ts";

/** Alertmanager's webhook, version 4. */
export const alertmanager = {
  id: "alertmanager",
  name: "Prometheus Alertmanager",
  keywords: ["am", "alert-manager", "prometheus", "prom"],
  endpoints: [
    {
      path: "/api/v1/webhooks/alertmanager",
      summary: "Alertmanager's webhook",
      body: alertmanagerCall,
    },
  ],
  credentials: "sender",
  documentation: "sources.md#alertmanager",
  create: (): Source => ({
    id: "alertmanager",
    sender: ({ network }) => network,
    decode: decodeInSteps((body) => decodeAlertmanager(body, "Alertmanager")),
  }),
} as const satisfies SourceKind;
