import { z } from "zod";
import { anyText, texts } from "../../../contract/lenient.ts";
import { signalAnswer, signalCall } from "../../../contract/webhook.ts";
import {
  decodeEach,
  decodeInSteps,
  genericAlert,
  type Source,
  type SourceAlert,
  type SourceKind,
} from "../../../intake/index.ts";

const signal = z.object({
  status: anyText,
  source: anyText,
  alert_name: anyText,
  severity: anyText,
  namespace: anyText,
  target: anyText,
  message: anyText,
  labels: texts,
  annotations: texts,
});

function decodeSignal(raw: unknown, position: number): SourceAlert | string {
  const parsed = signal.safeParse(raw);
  if (!parsed.success) return "is not an object";
  const { alert_name, target, ...fields } = parsed.data;
  const own = genericAlert({ ...fields, name: alert_name, target_resource: target }, position);
  return own ?? "has no `alert_name`, no label `alertname`, no `message`";
}

/** Signals: light notices that something was seen just now. They have no start time, and repeats are debounced. */
export const signalSource = {
  id: "signal",
  name: "Signal",
  endpoints: [
    {
      path: "/api/v1/webhooks/signals",
      summary: "Lightweight signals; quick repetitions count once",
      body: signalCall,
      answer: { status: 200, schema: signalAnswer, of: (known) => known },
    },
  ],
  credentials: "signature",
  idempotent: true,
  signals: true,
  documentation: "sources.md#signals",
  create: (): Source => ({
    id: "signal",
    sender: ({ signature }) => signature(),
    counts_calls: true,
    debounced: true,
    decode: decodeInSteps((body) => decodeEach(body, decodeSignal)),
  }),
} as const satisfies SourceKind;
