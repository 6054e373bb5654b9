import { closeNames } from "../lib/close-names.ts";
import { ALERTMANAGER_API, WEBHOOKS as PREFIX } from "./observe.ts";
import { ALERTMANAGER_WEBHOOK, WEBHOOKS } from "./webhook-table.ts";

const TABLE = [
  ...WEBHOOKS.map((one) => ({ path: `${PREFIX}${one.path.replace(":name", "NAME")}`, words: wordsOf(one) })),
  { path: `${ALERTMANAGER_API}${ALERTMANAGER_WEBHOOK.path}`, words: ["prometheus", "prom", "amtool"] },
];

function wordsOf({ path, also = [] }: (typeof WEBHOOKS)[number]): string[] {
  return [path.split("/")[1] ?? "", ...also].map(folded);
}

function folded(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, "");
}

// Of a path these say that alerts are sent, and not which.
const ANY_WEBHOOK = /^(web)?hooks?$/;
const NOT_A_NAME = /^(api|v\d+|index|receive|receiver|ingest|events?|enqueue|notify|json|)$/;
/** Longer ones are no slip of a hand. */
const LONGEST = 300;
const SHORTEST = 5;

/** The webhooks that may be meant by a word, the likeliest first: all that it names, else all that it is close to. */
function named(word: string): string[] {
  const exactly = TABLE.filter(({ words }) => words.includes(word));
  if (exactly.length > 0) return exactly.map(({ path }) => path);
  // Two edits make any short word of any other.
  if (word.length < SHORTEST) return [];
  const long = TABLE.flatMap(({ words }) => words).filter((one) => one.length >= SHORTEST);
  const [close] = closeNames(word, long);
  return TABLE.filter(({ words }) => close !== undefined && words.includes(close)).map(({ path }) => path);
}

// What probes of others ask for.
const HEALTH =
  /^\/(-\/|api\/|api\/v1\/)?(health|healthy|healthz|healthcheck|live|livez|liveness|ready|readyz|readiness|ping|status)\/?$/i;

/** Where the health is, as a sentence behind a blank, for a path by which others have theirs; empty for any other. Pure. */
export const whichHealth = (path: string): string =>
  path.length <= LONGEST && HEALTH.test(path)
    ? " Did you mean GET /api/v1/health, /api/v1/health/live or /api/v1/health/ready?"
    : "";

/**
 * What whoever sent to a path that takes no alerts may have meant, as a sentence behind a blank; empty for a path that
 * has nothing of a webhook. Pure; says nothing but what the API's description does.
 */
export function whichWebhook(path: string): string {
  if (path.length > LONGEST) return "";
  const words = path.split(/[/.]+/).map(folded);
  const names = words.filter((word) => !NOT_A_NAME.test(word) && !ANY_WEBHOOK.test(word));
  const [first, ...others] = [...new Set(names.flatMap(named))].slice(0, 3);
  if (first !== undefined) {
    const or = others.length === 0 ? "" : ` or ${others.join(" or ")}`;
    return ` Did you mean POST ${first}${or}?`;
  }
  const asked = words.some((word) => ANY_WEBHOOK.test(word)) || names.length === 0;
  if (!asked) return "";
  return ` Alerts are sent to one of these: ${TABLE.map((one) => one.path).join(", ")}.`;
}
