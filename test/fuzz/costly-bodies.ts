import { gzipSync } from "node:zlib";
import { signed, signedBySentry } from "../conformance/fixture.ts";
import { alertmanagerBody } from "../support/alerts.ts";

/** Calls of one sender, sent at once, so many at a time. */
export type Costly = {
  name: string;
  calls: () => Generator<Call>;
  at_once?: number;
  /** Calls that were sent before, and what else is in the database since: not measured. */
  past?: { calls: () => Generator<Call>; write: (rows: Rows) => Promise<void> };
};
type Rows = <T>(sql: string, values?: unknown[]) => Promise<T[]>;
/** `from`: the address of its sender, where not one that is trusted. */
export type Call = { path: string; headers: Record<string, string>; body: Buffer; from?: string };

const MEBIBYTE = 1024 * 1024;
/** Just below the largest body that is taken. */
export const LARGEST = 4.9 * MEBIBYTE;

const START = "2026-05-04T07:00:00Z";
const ALERTMANAGER = "/api/v1/webhooks/alertmanager";
const PROMETHEUS = "/api/v2/alerts";
export const GENERIC = "/api/v1/webhooks/alerts";
export const SIGNALS = "/api/v1/webhooks/signals";
const SENTRY = "/api/v1/webhooks/sentry/error";
const PAGERDUTY = "/api/v1/webhooks/pagerduty/v2/enqueue";
const GRAFANA = "/api/v1/webhooks/grafana";
const CUSTOM = "/api/v1/webhooks/custom/costly";
export const ROUTING_KEY = "costly-routing-key-of-pagerduty0";
const TOKEN = "costly-token-of-custom";

/** What the calls fit; the witness and whoever is costly are told apart as behind a proxy. */
export const settingsOf = (credentials: { intake: object; sentry: object }) => ({
  ...credentials,
  pagerduty: { routing_keys: [ROUTING_KEY] },
  intake: {
    ...credentials.intake,
    proxies: ["127.0.0.1"],
    custom: [
      {
        name: "costly",
        tokens: [TOKEN],
        alerts: "groups[].events[]",
        fields: {
          alertname: "name",
          target_resource: "host || $.host",
          message: "join(', ', $.groups[].events[].name)",
          labels: "from_json($.tags)",
        },
      },
    ],
  },
});

export const call = (path: string, text: string | Buffer, headers: Record<string, string> = {}): Call => ({
  path,
  headers: { "content-type": "application/json", ...headers },
  body: Buffer.from(text as string),
});
/** `part` as often as fits into `bytes`. */
export const filled = (part: string, bytes = LARGEST) => part.repeat(Math.floor(bytes / part.length));
/** As many of `make(n)` as fit, with commas between. */
function listed(make: (n: number) => string, bytes = LARGEST, most = Number.POSITIVE_INFINITY): string {
  const parts: string[] = [];
  for (let n = 0, length = 0; n < most; n += 1) {
    const part = make(n);
    length += part.length + 1;
    if (length > bytes) break;
    parts.push(part);
  }
  return parts.join(",");
}
const alerts = (list: string) => `{"version":"4","alerts":[${list}]}`;
const alertOf = (fields: object) =>
  alerts(
    JSON.stringify({ status: "firing", labels: { alertname: "Costly", deployment: "costly" }, ...fields }),
  );
const turn = (n: number, more: object = {}) =>
  JSON.stringify({
    status: n % 2 ? "resolved" : "firing",
    labels: { alertname: "Turns", deployment: "turning" },
    ...more,
  });
const unlike = (n: number) =>
  JSON.stringify({
    status: "firing",
    labels: { alertname: "Storm", severity: "warning", deployment: `storm${n.toString(36)}x` },
    startsAt: START,
  });
const event = (payload: object, more: object = {}) =>
  JSON.stringify({
    routing_key: ROUTING_KEY,
    event_action: "trigger",
    dedup_key: "costly",
    payload: { summary: "costly", source: "host", severity: "error", ...payload },
    ...more,
  });

/** What a careless regular expression looks at again and again. */
const REPEATED = [
  "1,",
  "1.",
  "a-",
  "-",
  " ",
  "/",
  "=",
  "&",
  "%",
  "(",
  "[",
  "{",
  '\\"',
  "a1",
  "\\n",
  "A",
  "x/y@",
];

function* once(
  path: string,
  text: () => string | Buffer,
  headers?: (body: Buffer) => Record<string, string>,
) {
  const made = call(path, text());
  yield { ...made, headers: { ...made.headers, ...headers?.(made.body) } };
}
const one = (
  name: string,
  path: string,
  text: () => string | Buffer,
  headers?: (body: Buffer) => Record<string, string>,
): Costly => ({
  name,
  calls: () => once(path, text, headers),
});
const token = () => ({ authorization: `Bearer ${TOKEN}` });

/** Every kind of body that costs much more than its bytes should. */
export const BODIES: readonly Costly[] = [
  one("1.7 million empty alerts", ALERTMANAGER, () => alerts(`${filled("{},", LARGEST - 40)}{}`)),
  one("the same as Prometheus sends them", PROMETHEUS, () => `[${filled("{},")}{}]`),
  one("signals that are empty", SIGNALS, () => `[${filled("{},")}{}]`, signed),
  one("one alert in turn, 1 MiB, no start", ALERTMANAGER, () => alerts(listed((n) => turn(n), MEBIBYTE))),
  one("one alert in turn, ever new starts", ALERTMANAGER, () =>
    alerts(listed((n) => turn(n, { startsAt: new Date(Date.UTC(2026, 4, 4, 7, 0, n)).toISOString() }))),
  ),
  one("one alert in turn, calls that count", GENERIC, () => `[${listed((n) => turn(n), MEBIBYTE)}]`, signed),
  one("a thousand alerts in turn", ALERTMANAGER, () =>
    alerts(
      listed((n) =>
        turn(Math.floor(n / 1_000), { labels: { alertname: "Turns", deployment: `turning${n % 1_000}` } }),
      ),
    ),
  ),
  one("as many unlike alerts as fit", ALERTMANAGER, () => alerts(listed(unlike))),
  one("9,000 unlike alerts", ALERTMANAGER, () => alerts(listed(unlike, LARGEST, 9_000))),
  one(
    "9,000 unlike alerts as Prometheus sends them",
    PROMETHEUS,
    () => `[${listed(unlike, LARGEST, 9_000)}]`,
  ),
  one("one alert with 400,000 labels", ALERTMANAGER, () =>
    alertOf({}).replace('"labels":{', `"labels":{${listed((n) => `"l${n}":""`, LARGEST - 500)},`),
  ),
  one("one alert with 400,000 annotations", ALERTMANAGER, () =>
    alertOf({ annotations: {} }).replace(
      '"annotations":{',
      `"annotations":{${listed((n) => `"l${n}":1`, LARGEST - 500)}`,
    ),
  ),
  one("names of labels of a mebibyte", ALERTMANAGER, () =>
    alertOf({
      labels: {
        alertname: "Costly",
        ...Object.fromEntries(["a", "b", "c", "d"].map((x) => [x.repeat(MEBIBYTE), "v"])),
      },
    }),
  ),
  one("one key again and again", ALERTMANAGER, () =>
    alertOf({}).replace('"labels":{', `"labels":{${filled('"a":"b",', LARGEST - 500)}`),
  ),
  one("nested 2.5 million deep", ALERTMANAGER, () =>
    alertOf({ labels: { alertname: "Costly", x: 1 } }).replace(
      '"x":1',
      `"x":${"[".repeat(LARGEST / 2 - 200)}${"]".repeat(LARGEST / 2 - 200)}`,
    ),
  ),
  one("objects nested a million deep", ALERTMANAGER, () =>
    alertOf({ annotations: { x: 1 } }).replace(
      '"x":1',
      `"x":${'{"":'.repeat(900_000)}1${"}".repeat(900_000)}`,
    ),
  ),
  one("a number of five million digits", ALERTMANAGER, () =>
    alertOf({ annotations: { x: 1 } }).replace('"x":1', `"x":${"9".repeat(LARGEST - 500)}`),
  ),
  one("an escaped text", ALERTMANAGER, () =>
    alertOf({ annotations: { x: 1 } }).replace('"x":1', `"x":"${filled("\\u0000", LARGEST - 500)}"`),
  ),
  ...REPEATED.map((part) =>
    one(`texts of ${part}`, ALERTMANAGER, () => {
      const text = filled(part, 900_000);
      const fields = ["alertname", "instance", "pod"].map((name) => `"${name}":"${text}"`).join(",");
      return alerts(
        `{"labels":{${fields}},"annotations":{"summary":"${text}"},"generatorURL":"http://h/g?${text}"}`,
      );
    }),
  ),
  ...REPEATED.map((part) =>
    one(`PagerDuty: a summary of ${part}`, PAGERDUTY, () =>
      event({ summary: "?", component: "?", class: null }).replaceAll(
        '"?"',
        `"x${filled(part, 2 * MEBIBYTE)}a"`,
      ),
    ),
  ),
  one("PagerDuty: a million details", PAGERDUTY, () =>
    event({ custom_details: {} }).replace(
      '"custom_details":{',
      `"custom_details":{${listed((n) => `"d${n}":1`, LARGEST - 500)}`,
    ),
  ),
  one("PagerDuty: a million links", PAGERDUTY, () =>
    event({}, { links: [1] }).replace("[1]", `[${filled('{"href":1},', LARGEST - 500)}1]`),
  ),
  one(
    "Sentry: a million tags",
    SENTRY,
    () =>
      `{"action":"triggered","data":{"event":{"title":"x","tags":[${filled('["",0],', LARGEST - 500)}0]}}}`,
    signedBySentry,
  ),
  one(
    "Grafana: matches of a rule",
    GRAFANA,
    () =>
      `{"ruleId":1,"ruleName":"x","state":"alerting","evalMatches":[${listed((n) => `{"tags":{"t${n % 7}":"1"}}`, LARGEST - 500)}]}`,
  ),
  one(
    "a mapped source, and expressions over the whole",
    CUSTOM,
    () =>
      `{"host":"h","tags":"{}","groups":[${listed((n) => `{"events":[{"name":"e${n}"}]}`, LARGEST - 500)}]}`,
    token,
  ),
  one(
    "a mapped source, with JSON in a text",
    CUSTOM,
    () =>
      `{"host":"h","tags":"[${filled("{},", LARGEST / 2)}{}]","groups":[{"events":[${listed((n) => `{"name":"e${n}"}`, LARGEST / 3)}]}]}`,
    token,
  ),
  one(
    "compressed, a gibibyte when it is not",
    ALERTMANAGER,
    () => gzipSync(Buffer.alloc(256 * MEBIBYTE, "{},")),
    () => ({
      "content-encoding": "gzip",
    }),
  ),
  {
    name: "sixteen of the largest at once",
    at_once: 16,
    *calls() {
      for (let n = 0; n < 16; n += 1) yield call(ALERTMANAGER, alerts(`${filled("{},", LARGEST - 40)}{}`));
    },
  },
  {
    name: "20,000 receipts of one sender",
    at_once: 64,
    *calls() {
      for (let n = 0; n < 20_000; n += 1)
        yield call(
          ALERTMANAGER,
          JSON.stringify(
            alertmanagerBody([{ labels: { alertname: "Many", deployment: `many${n % 2_000}x` } }]),
          ),
        );
    },
  },
  {
    name: "2,000 receipts of 60 unlike alerts",
    at_once: 16,
    *calls() {
      for (let n = 0; n < 2_000; n += 1)
        yield call(ALERTMANAGER, alerts(listed((k) => unlike((n * 60 + k) % 6_000), MEBIBYTE, 60)));
    },
  },
];
