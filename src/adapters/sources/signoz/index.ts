import { z } from "zod";
import { anyText, texts } from "../../../contract/lenient.ts";
import {
  type Decoded,
  decodeAlertmanager,
  type Source,
  type SourceDescription,
} from "../../../intake/index.ts";

// One alert with its name beside the labels, as scripts and older set-ups send it.
const flat = z.object({ alerts: z.undefined().optional(), alertname: anyText, labels: texts });

function decode(body: unknown): Decoded {
  const { data } = flat.safeParse(body);
  const alertname = data?.labels.alertname || data?.alertname;
  if (data === undefined || !alertname) return decodeAlertmanager(body, "SigNoz");
  const one = { ...(body as object), labels: { ...data.labels, alertname } };
  return decodeAlertmanager({ alerts: [one] }, "SigNoz");
}

/** SigNoz's webhook: Alertmanager's shape, or one flat alert. */
export const signoz = {
  id: "signoz",
  describe: (): SourceDescription => ({
    name: "SigNoz",
    kind: "source",
    path: "/api/v1/webhooks/signoz",
    capabilities: ["firing", "resolved", "batch"],
  }),
  create: (): Source => ({ id: "signoz", decode }),
};
