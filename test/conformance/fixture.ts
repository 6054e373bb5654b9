import { createHmac } from "node:crypto";

export type Status = "firing" | "resolved";
export type Notice = { subject: string; status: Status };

/** Genuine bodies of one kind that a source sends; `subject` is a text that is in them and in their alerts. */
export type SourceFixture = {
  /** Which of the source's bodies. */
  name: string;
  /** Below `/api/v1/webhooks`, or whole. */
  path: string;
  /** What it is answered with where all is well; 200 when missing. */
  status?: number;
  /** What a body is answered with that is not understood, where not the same. */
  invalid?: number;
  /** What shows who sends it. */
  headers?: (body: Buffer) => Record<string, string>;
  /** The whole body, one alert, with every field that is documented. Resolved it is the end of the firing one. */
  body(subject: string, status: Status): object;
  /** The same with this time for its beginning and its end, where it says them. */
  timed?: (subject: string, status: Status, time: unknown) => object;
  /** Several alerts in one call, where the source sends such. */
  batch?: (notices: readonly Notice[]) => object;
  /** The least that is an alert. */
  minimal(subject: string): unknown;
  /** With `text` as what people may write as they like, in at most three places. */
  worded(subject: string, text: string): object;
  /** Dotted fields without which nobody could tell what is meant: such a body is a dead letter, or no alert. */
  needed: readonly string[];
};

const HMAC_SECRET = "conformance-secret-of-generic-alerts";
const SENTRY_SECRET = "conformance-secret-of-sentry";

/** What the headers of the fixtures fit. */
export const SENDERS = {
  intake: {
    hmac_secrets: [HMAC_SECRET],
    custom: [
      {
        name: "conformance",
        tokens: ["conformance-token-of-custom"],
        alerts: "events",
        fields: {
          alertname: "name",
          status: "state",
          severity: "level",
          namespace: "$.tenant",
          target_resource: "host",
          message: "text",
          url: "link",
          starts_at: "since",
          labels: { team: "tags.team" },
          annotations: "tags",
        },
        values: { status: { resolved: ["good"] }, severity: { critical: [5] } },
      },
    ],
  },
  sentry: { webhook_secrets: [SENTRY_SECRET] },
};
/** Of the app under test. */
export const SETTINGS = { ...SENDERS, intake: { ...SENDERS.intake, answer_wait: "2m" } };

const hex = (secret: string, body: Buffer) => createHmac("sha256", secret).update(body).digest("hex");
export const signed = (body: Buffer) => ({ "x-signature-256": `sha256=${hex(HMAC_SECRET, body)}` });
export const signedBySentry = (body: Buffer) => ({ "sentry-hook-signature": hex(SENTRY_SECRET, body) });

export const BEGAN = "2026-05-04T07:00:00.5Z";
export const ENDED = "2026-05-04T07:30:00Z";
