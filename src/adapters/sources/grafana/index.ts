import {
  type DecodeSteps,
  decodeAlertmanager,
  decodeInSteps,
  type Source,
  type SourceKind,
} from "../../../intake/index.ts";
import { decodeLegacy } from "./legacy.ts";
import { completeUnified, organisationOf } from "./unified.ts";
import { grafanaCall } from "./wire.ts";

function* decode(body: unknown): DecodeSteps {
  const legacy = decodeLegacy(body);
  if (legacy !== undefined) return legacy;
  const organisation = organisationOf(body);
  return yield* decodeAlertmanager(body, "Grafana", (alert, raw) => ({
    ...completeUnified(alert, raw),
    ...organisation,
  }));
}

/** Grafana's webhook, of unified alerting and of the legacy alerting before it. */
export const grafana = {
  id: "grafana",
  name: "Grafana",
  endpoints: [
    {
      path: "/api/v1/webhooks/grafana",
      summary: "Grafana's webhook, of unified and of legacy alerting",
      body: grafanaCall,
    },
  ],
  credentials: "sender",
  documentation: "sources.md#grafana",
  create: (): Source => ({
    id: "grafana",
    sender: ({ network }) => network,
    decode: decodeInSteps(decode),
  }),
} as const satisfies SourceKind;
