import { z } from "zod";
import { severity } from "../../contract/common.ts";
import { foldSeverity } from "../../intake/index.ts";
import { example, needsRestart, secret } from "../../lib/setting.ts";
import { SOURCES } from "../adapters.ts";
import { count, rate, seconds, section } from "./fields.ts";

// RFC 1918, RFC 4193, link-local and loopback: the addresses of a small team's own network.
const PRIVATE = [
  "127.0.0.0/8",
  "::1",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/** Limits of one source. */
const sourceLimits = {
  requests_per_second: rate(20_000).describe("calls of one source"),
  burst: rate(40_000).describe("calls of one source at once"),
  sender_requests_per_second: rate(20_000).describe("calls from one address"),
  body_limit: example(z.number().int().min(1_024).optional(), 1_048_576).describe(
    "bytes; default: intake.body_limit, which applies in any case",
  ),
  wasted_bytes_per_second: rate(1024 * 1024).describe(
    "bytes of refused bodies from one address; above this, its bodies over 16 KiB are refused for a while",
  ),
  dead_letters_per_hour: rate(600).describe(
    "of one sender; above this, its bodies that cannot be parsed are refused, and other bodies are accepted",
  ),
  dead_letter_bytes_per_hour: rate(10 * 1024 * 1024).describe("of one sender"),
  dead_letter_bytes_kept: rate(256 * 1024 * 1024).describe("of one source"),
  new_fingerprints: rate(10_000).describe(
    "fingerprints of one sender at once that no alert had before; each opens an incident",
  ),
  new_fingerprints_per_hour: rate(1_000).describe("of one sender, in the long run"),
};
/** Overrides for a named source: a missing limit has the common value. */
const ownLimits = z.strictObject(
  Object.fromEntries(Object.keys(sourceLimits).map((name) => [name, rate().optional()])) as {
    [name in keyof typeof sourceLimits]: z.ZodOptional<z.ZodNumber>;
  },
);

/** Returns the settings of kinds of sources in a section, or at the top level for null; `createSources` reads them. */
export function sourceSettings(section: string | null): Record<never, never> {
  const own = SOURCES.flatMap(({ settings }): [string, z.ZodType][] => {
    const [name = "", above = null] = settings?.path.split(".").reverse() ?? [];
    return settings !== undefined && above === section ? [[name, settings.schema]] : [];
  });
  return Object.fromEntries(own);
}

/** The section `intake`: what senders may send, and how they are checked. The settings of sources come from their kinds. */
export const intakeSection = section({
  body_limit: needsRestart(
    z
      .number()
      .int()
      .min(1_024)
      .max(256 * 1024 * 1024)
      .default(5 * 1024 * 1024),
  ).describe("bytes of a webhook's body; a larger one is refused with 413"),
  // The default is that of `limits.new_fingerprints`; a genuine body of `body_limit` bytes holds fewer alerts.
  alerts_per_body: z
    .number()
    .int()
    .min(1_000)
    .max(1_000_000)
    .default(10_000)
    .describe(
      "at least 1000; of a body with more alerts the rest is not read: the body is also kept as a dead letter, marked as truncated, and can be replayed with a higher limit",
    ),
  answer_wait: seconds("2s").describe(
    "how long an answer may wait so that it can name the incident of the alert",
  ),
  backlog: section({
    requests: count(2_000).describe("calls that wait to be written to disk"),
    bytes: z
      .number()
      .int()
      .min(1_024)
      .default(256 * 1024 * 1024)
      .describe("the bodies of these calls"),
    receipts: count(100_000).describe("receipts that are stored and not processed yet"),
  }).describe("above these limits the answer is 503 with Retry-After"),
  limits: section({
    ...sourceLimits,
    sources: example(
      z.record(z.string().regex(/^[A-Za-z0-9:_.-]{1,64}$/, "is not a source"), ownLimits).default({}),
      { alertmanager: { dead_letters_per_hour: 60 } },
    ).describe("the same limits for single sources"),
  }).describe(
    "limits of each source, so that no source slows the others down or fills the disk; above them the answer is 503 with Retry-After, and `awoooi sources refused` lists the refused calls with the reason",
  ),
  trusted_networks: z
    .array(z.string())
    .default(PRIVATE)
    .describe("networks whose senders need no credentials, by the address of their connection"),
  proxies: example(z.array(z.string()).default([]), ["10.0.0.2"]).describe(
    "addresses of proxies whose X-Forwarded-For is trusted",
  ),
  bearer_tokens: secret(z.array(z.string().min(16)))
    .default([])
    .describe("for senders outside of trusted_networks; at least 16 characters each"),
  basic: z
    .array(
      z.strictObject({
        username: example(z.string().min(1), "alertmanager"),
        password: example(secret(z.string().min(8)), "at-least-8-characters"),
      }),
    )
    .default([])
    .describe("the same with HTTP basic authentication"),
  hmac_secrets: secret(z.array(z.string().min(1)))
    .default([])
    .describe(
      "secrets of senders to /webhooks/alerts and /webhooks/signals; a signature under any of them is valid; without one such calls are refused with env prod",
    ),
  ...sourceSettings("intake"),
  alertmanager_api: section({
    open_reads: z
      .boolean()
      .default(false)
      .describe(
        "true: a sender that may send alerts without a signature (trusted_networks, bearer_tokens, basic) may also read alerts, silences, receivers and status under /api/v2, which Alertmanager itself allows everybody; false: reading needs a token of a person",
      ),
  }),
  signals: section({ debounce: seconds("3m") }).describe(
    "signals of one fingerprint within this time count once, unless the severity rises",
  ),
  external_sites: z
    .array(z.string())
    .default([])
    .describe("names of alerts about your sites at other places"),
  ci_cd: z
    .array(z.string())
    .default([])
    .describe(
      "names of alerts that report the progress of a CI/CD pipeline: people get one line, and no incident is opened",
    ),
  resolve_timeout: seconds("5m").describe(
    "for /api/v2/alerts: an alert that was sent without an end is over when it is not sent again for this long; for every source: how long a firing notice is held after another sender has reported the end",
  ),
  severities: example(
    z
      .record(
        z
          .string()
          .max(64)
          .refine((word) => foldSeverity(word) !== "", "is no word"),
        severity,
      )
      .default({})
      .refine((own) => {
        const words = Object.keys(own).map(foldSeverity);
        return new Set(words).size === words.length;
      }, "two words are one: case, blanks, -, _ and . do not count"),
    { panic: "P0" },
  ).describe("senders' words for severities that the shipped table lacks, or that have another meaning here"),
  classification: example(z.string().min(1).optional(), "my-classification.yaml").describe(
    "a file of classification rules that are tried before the shipped ones",
  ),
});
