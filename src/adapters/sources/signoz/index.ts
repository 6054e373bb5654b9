import { decodeAlertmanager, inSteps, type Source, type SourceDescription } from "../../../intake/index.ts";

/** SigNoz's webhook: Alertmanager's shape, or one flat alert. */
export const signoz = {
  id: "signoz",
  describe: (): SourceDescription => ({
    name: "SigNoz",
    kind: "source",
    path: "/api/v1/webhooks/signoz",
    capabilities: ["firing", "resolved", "batch"],
  }),
  create: (): Source => ({ id: "signoz", decode: inSteps((body) => decodeAlertmanager(body, "SigNoz")) }),
};
