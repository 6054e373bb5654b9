import { SOURCES } from "../../src/app/adapters.ts";
import { webhookPath } from "../../src/http/routes/webhooks.ts";
import { type Call, type Costly, call, filled, LARGEST, ROUTING_KEY } from "./costly-bodies.ts";

const WEBHOOKS = "/api/v1/webhooks";
const AWAY = "203.0.113.7";
const WRONG = "0".repeat(64);
const SHOWN = {
  authorization: `Bearer ${WRONG}`,
  "x-signature-256": `sha256=${WRONG}`,
  "sentry-hook-signature": WRONG,
};
const CALLS = 32;

/** Every way in, and some that are none: all of them read, or might read, what anybody sends. */
const PATHS = [
  ...[
    "alertmanager",
    "prometheus",
    "generic",
    "grafana",
    "signoz",
    "uptime-kuma",
    "sentry",
    "pagerduty",
    "signal",
  ].map((source) => webhookPath(SOURCES, source) ?? ""),
  ...["custom/costly", "custom/none", "nowhere"].map((path) => `${WEBHOOKS}/${path}`),
  ...["/v2/enqueue", "/api/v2/silences", "/api/v1/silences", "/api/v1/health", "/api/v1/nowhere", "/nowhere"],
];

/** Many of the largest bodies at once, of what costs most to read, from who has no right to send. */
function strangers(name: string, paths: readonly string[], text: () => string, headers = {}): Costly {
  const each = Math.ceil(CALLS / paths.length);
  return {
    name: `strangers: ${name}`,
    at_once: CALLS,
    *calls(): Generator<Call> {
      const [first = "", ...others] = paths;
      const made = { ...call(first, text(), headers), from: AWAY };
      for (const path of [first, ...others]) for (let n = 0; n < each; n += 1) yield { ...made, path };
    },
  };
}

const brackets = () => `{"x":[${filled("{},", LARGEST - 200)}{}]}`;
const names = () => `{"x":[${Array.from({ length: 330_000 }, (_, n) => `{"k${n}":1}`).join(",")}]}`;
const keyed = () => brackets().replace("{", `{"routing_key":"${ROUTING_KEY}x",`);
const escaped = () => `{${filled('"routing\\\\u005fkey":"x",', LARGEST - 200)}"y":1}`;
const PAGERDUTY = webhookPath(SOURCES, "pagerduty") ?? "";

/** Bodies of whom nobody knows, to every route. */
export const STRANGERS: readonly Costly[] = [
  ...PATHS.map((path) => strangers(`nothing shown to ${path}`, [path], brackets)),
  ...PATHS.map((path) => strangers(`wrong secrets shown to ${path}`, [path], brackets, SHOWN)),
  strangers("ever new names, without a routing key", [PAGERDUTY], names),
  strangers("a wrong routing key", [PAGERDUTY], keyed),
  strangers("a wrong routing key, again and again", [PAGERDUTY], escaped),
  strangers("every route", PATHS, brackets),
];
