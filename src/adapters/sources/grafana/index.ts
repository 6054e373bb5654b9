import {
  type DecodeSteps,
  decodeAlertmanager,
  inSteps,
  type Source,
  type SourceDescription,
} from "../../../intake/index.ts";
import { decodeLegacy } from "./legacy.ts";
import { completeUnified, organisationOf } from "./unified.ts";

function* decode(body: unknown): DecodeSteps {
  const legacy = decodeLegacy(body);
  if (legacy !== undefined) return legacy;
  const organisation = organisationOf(body);
  return yield* decodeAlertmanager(body, "Grafana", (alert, raw) => ({
    ...completeUnified(alert, raw),
    ...organisation,
  }));
}

/** Grafana's webhook: unified alerting, and the alerting of the versions before it. */
export const grafana = {
  id: "grafana",
  describe: (): SourceDescription => ({
    name: "Grafana",
    kind: "source",
    path: "/api/v1/webhooks/grafana",
    capabilities: ["firing", "resolved", "batch"],
  }),
  create: (): Source => ({ id: "grafana", decode: inSteps(decode) }),
};
