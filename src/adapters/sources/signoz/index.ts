import {
  decodeAlertmanager,
  decodeInSteps,
  type Endpoint,
  type Source,
  type SourceKind,
} from "../../../intake/index.ts";
import { answerSignoz, signozAnswer, signozCall } from "./wire.ts";

const ENDPOINT = {
  summary: "SigNoz's webhook",
  body: signozCall,
  answer: {
    status: 200,
    schema: signozAnswer,
    of(known, decoded) {
      const found = decoded();
      // A body that cannot be decoded is kept as a dead letter; it may contain a firing alert.
      const fires = !found.ok || found.alerts.some(({ status }) => status === "firing");
      return answerSignoz(fires, known);
    },
  },
} as const satisfies Omit<Endpoint, "path">;

/** SigNoz's webhook: Alertmanager's format, or one flat alert. */
export const signoz = {
  id: "signoz",
  name: "SigNoz",
  endpoints: [
    { path: "/api/v1/webhooks/signoz", ...ENDPOINT },
    { path: "/api/v1/webhooks/signoz/alert", ...ENDPOINT },
  ],
  credentials: "sender",
  documentation: "sources.md#signoz",
  create: (): Source => ({
    id: "signoz",
    sender: ({ network }) => network,
    decode: decodeInSteps((body) => decodeAlertmanager(body, "SigNoz")),
  }),
} as const satisfies SourceKind;
