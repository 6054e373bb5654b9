import { z } from "zod";
import { anyText, anyValue, asText, optionalText, texts } from "../../../contract/lenient.ts";
import type { Decoded, Source, SourceAlert, SourceKind } from "../../../intake/index.ts";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import { clip } from "../../../lib/clip.ts";
import { secret } from "../../../lib/setting.ts";
import { routingKeyCheck } from "./check-routing-key.ts";
import { pagerdutyAccepted, pagerdutyEvent, pagerdutyInvalid } from "./wire.ts";

const object = z.record(z.string(), z.unknown());

const payload = z.object({
  summary: anyText,
  source: anyText,
  severity: anyText,
  timestamp: optionalText,
  component: anyText,
  group: anyText,
  class: anyText,
  custom_details: anyValue,
});
type Payload = z.infer<typeof payload>;

const event = z.object({
  event_action: anyValue,
  dedup_key: anyText,
  payload: anyValue,
  images: anyValue,
  links: anyValue,
  client: anyText,
  client_url: optionalText,
});
type Event = z.infer<typeof event>;

const ACTIONS = ["trigger", "acknowledge", "resolve"] as const;
// PagerDuty's own limit.
const LONGEST_KEY = 255;
const LONGEST_NAME = 200;

/** Keys of `custom_details` that name the event's target. */
const TARGETS = "deployment statefulset daemonset job_name pod persistentvolumeclaim node instance".split(
  " ",
);
/** Keys of `custom_details` that become labels. The others become annotations: they vary while the alert is the same. */
const NAMING = [
  ...TARGETS,
  ..."cluster namespace service job container host environment team auto_repair".split(" "),
];

// A number on its own is a measurement or Alertmanager's count of alerts; `web-1` is a name.
const COUNT = /^\[(?:FIRING|RESOLVED)[^\]]{0,40}\]\s*/;
const MEASURED = /(?<![\w.-])\d+(?:[.,]\d+)*(?![\w-])/g;

/** Returns an alert name that stays the same while the measured values in the summary change. */
function nameOf({ class: kind, summary }: Payload, details: Record<string, string>): string {
  const given = kind ?? (details.alertname || details.alert_name);
  // Clip first: a very long text would make the patterns slow.
  const begins = clip(summary ?? "", 4 * LONGEST_NAME, "");
  const name = given || begins.replace(COUNT, "").replace(MEASURED, "…");
  return clip(name, LONGEST_NAME, "");
}

/** Returns one line per link or image: its address, with its text in parentheses. */
function linesOf(list: unknown, address: string, words: string): string {
  const entries = Array.isArray(list) ? list : [];
  const lines = entries.flatMap((entry) => {
    const found = object.safeParse(entry).data ?? {};
    const at = anyText.parse(found[address]);
    const said = anyText.parse(found[words]);
    return at === null ? [] : [said === null ? at : `${at} (${said})`];
  });
  return lines.join("\n");
}

const present = (all: Record<string, string | null>): Record<string, string> =>
  Object.fromEntries(Object.entries(all).flatMap(([key, text]) => (text ? [[key, text]] : [])));

function alertOf(said: Event, about: Payload, key: string, status: SourceAlert["status"]): SourceAlert {
  const details = texts.parse(about.custom_details);
  const naming = (name: string) => NAMING.includes(name);
  const named = Object.fromEntries(Object.entries(details).filter(([name]) => naming(name)));
  const told = Object.fromEntries(Object.entries(details).filter(([name]) => !naming(name)));
  const { component, group, class: kind, severity, source, summary, timestamp } = about;
  const target = component === null && !TARGETS.some((name) => named[name]) ? source : null;
  const more = { images: linesOf(said.images, "src", "alt"), links: linesOf(said.links, "href", "text") };
  const whole = about.custom_details;
  const other = whole === null || object.safeParse(whole).success ? null : asText(whole);
  return {
    status,
    labels: {
      ...named,
      ...present({ component, group, class: kind, severity }),
      alertname: nameOf(about, details) || `PagerDuty event ${key}`,
    },
    annotations: {
      ...told,
      ...present({ custom_details: other, summary, source, timestamp, client: said.client, ...more }),
    },
    // The resolve event has only the key: with a start here it would count as another alert.
    starts_at: null,
    ends_at: null,
    source_fingerprint: key,
    generator_url: said.client_url,
    ...(target === null ? {} : { target_resource: target }),
  };
}

/** Returns the dedup key, or a hash of the event, so that the same event sent or decoded again is the same alert. */
function keyOf(body: unknown, given: string | null): string {
  if (given !== null) return given;
  const { routing_key: _, ...rest } = object.parse(body);
  return sha256(canonicalJson(rest)).slice(0, 32);
}

function faultsOf({ event_action: action, dedup_key }: Event, about: Payload | undefined): string[] {
  const given = typeof action === "string" && (ACTIONS as readonly string[]).includes(action);
  const named = action !== "trigger" || about?.summary;
  return [
    ...(given ? [] : [`'event_action' must be one of ${ACTIONS.join(", ")}`]),
    ...(named ? [] : ["'payload.summary' is missing or blank"]),
    ...(given && action !== "trigger" && dedup_key === null ? ["'dedup_key' is missing or blank"] : []),
    ...((dedup_key?.length ?? 0) > LONGEST_KEY
      ? [`'dedup_key' has more than ${LONGEST_KEY} characters`]
      : []),
  ];
}

function decode(body: unknown): Decoded {
  const parsed = event.safeParse(body);
  if (!parsed.success) return { ok: false, reason: "not a PagerDuty event: it is not an object" };
  const said = parsed.data;
  const about = payload.safeParse(said.payload).data;
  const faults = faultsOf(said, about);
  if (faults.length > 0) return { ok: false, reason: faults.join("; ") };
  let key: string;
  try {
    key = keyOf(body, said.dedup_key);
  } catch {
    return { ok: false, reason: "it is nested too deeply" };
  }
  if (said.event_action === "acknowledge")
    return { ok: true, alerts: [], acknowledged: [key], truncated: 0, rejected: [] };
  const status = said.event_action === "resolve" ? "resolved" : "firing";
  const alert = alertOf(said, about ?? payload.parse({}), key, status);
  return { ok: true, alerts: [alert], truncated: 0, rejected: [] };
}

/** Returns the `dedup_key` for the answer, by which PagerDuty's clients refer to the alert from then on. */
const dedupKeyOf = (decoded: Decoded) =>
  decoded.ok ? (decoded.alerts[0]?.source_fingerprint ?? decoded.acknowledged?.[0] ?? "") : "";

const settings = z.strictObject({
  routing_keys: secret(z.array(z.string().min(16)))
    .default([])
    .describe(
      "keys of clients of its events API, all of which are valid, so that a key can be rotated; at least 16 characters; without one their calls are refused with env prod",
    ),
});
type Settings = z.output<typeof settings>;

/** PagerDuty's Events API, version 2: its clients only need to be given another URL. */
export const pagerduty = {
  id: "pagerduty",
  name: "PagerDuty Events v2",
  keywords: ["pd"],
  endpoints: [
    {
      path: "/api/v1/webhooks/pagerduty/v2/enqueue",
      // The path that PagerDuty's clients append when they are configured with a host only.
      aliases: ["/v2/enqueue"],
      summary: "PagerDuty's Events API, version 2; also under /v2/enqueue",
      body: pagerdutyEvent,
      answer: {
        status: 202,
        schema: pagerdutyAccepted,
        of: (_known, decoded) => ({
          status: "success",
          message: "Event processed",
          dedup_key: dedupKeyOf(decoded()),
        }),
        invalid: {
          schema: pagerdutyInvalid,
          of: (reason) => ({
            status: "invalid event",
            message: "Event object is invalid",
            errors: reason.split("; "),
          }),
        },
      },
    },
  ],
  credentials: "sender",
  documentation: "custom-sources.md#pagerdutys-clients",
  settings: { path: "pagerduty", schema: settings.prefault({}) },
  create: ({ routing_keys }: Settings): Source => ({
    id: "pagerduty",
    sender: (checks) => routingKeyCheck(routing_keys, checks),
    decode,
  }),
} as const satisfies SourceKind<Settings>;
