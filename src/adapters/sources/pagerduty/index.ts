import { z } from "zod";
import { anyText, anything, asText, optionalText, texts } from "../../../contract/lenient.ts";
import type { Decoded, Source, SourceAlert, SourceKind } from "../../../intake/index.ts";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import { clip } from "../../../lib/clip.ts";
import { secret } from "../../../lib/secret-setting.ts";
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
  custom_details: anything,
});
type Payload = z.infer<typeof payload>;

const event = z.object({
  event_action: anything,
  dedup_key: anyText,
  payload: anything,
  images: anything,
  links: anything,
  client: anyText,
  client_url: optionalText,
});
type Event = z.infer<typeof event>;

const ACTIONS = ["trigger", "acknowledge", "resolve"] as const;
// As PagerDuty has it.
const LONGEST_KEY = 255;
const LONGEST_NAME = 200;

/** Details that say what the event is about. */
const TARGETS = "deployment statefulset daemonset job_name pod persistentvolumeclaim node instance".split(
  " ",
);
/** Details that name things, or say what may be done, and so are labels; what the others say changes while the alert is the same. */
const NAMING = [
  ...TARGETS,
  ..."cluster namespace service job container host environment team auto_repair".split(" "),
];

// A number that stands alone is a measurement, or Alertmanager's count; `web-1` is a name.
const COUNT = /^\[(?:FIRING|RESOLVED)[^\]]{0,40}\]\s*/;
const MEASURED = /(?<![\w.-])\d+(?:[.,]\d+)*(?![\w-])/g;

/** A name that stays the same while the summary goes with what is measured. */
function nameOf({ class: kind, summary }: Payload, details: Record<string, string>): string {
  const given = kind ?? (details.alertname || details.alert_name);
  // Of a text without an end every number could be looked at up to it.
  const begins = clip(summary ?? "", 4 * LONGEST_NAME, "");
  const name = given || begins.replace(COUNT, "").replace(MEASURED, "…");
  return clip(name, LONGEST_NAME, "");
}

/** `href (text)` of each link, `src` of each image, a line each. */
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
    // What resolves it names the key alone: a start would make that another instance.
    starts_at: null,
    ends_at: null,
    source_fingerprint: key,
    generator_url: said.client_url,
    ...(target === null ? {} : { target_resource: target }),
  };
}

/** Of a trigger without one: the same event is the same alert, whether it is sent or understood again. */
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

/** The key that PagerDuty's clients name an alert by is the one that it has here. */
const dedupKeyOf = (decoded: Decoded) =>
  decoded.ok ? (decoded.alerts[0]?.source_fingerprint ?? decoded.acknowledged?.[0] ?? "") : "";

/** Any of `routing_keys` is taken: while one replaces another, both are valid. */
const settings = z.strictObject({ routing_keys: secret(z.array(z.string().min(16))).default([]) });
type Settings = z.output<typeof settings>;

/** PagerDuty's Events API, version 2: whatever pages through it needs another address only. */
export const pagerduty = {
  id: "pagerduty",
  name: "PagerDuty Events v2",
  keywords: ["pd"],
  endpoints: [
    {
      path: "/api/v1/webhooks/pagerduty/v2/enqueue",
      // PagerDuty's clients that are given a host call this path on it.
      aliases: ["/v2/enqueue"],
      summary: "PagerDuty's Events API, version 2; also under /v2/enqueue",
      body: pagerdutyEvent,
      answer: {
        status: 202,
        schema: pagerdutyAccepted,
        of: (json, _known, decode) => ({
          status: "success",
          message: "Event processed",
          dedup_key: dedupKeyOf(decode(json)),
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
