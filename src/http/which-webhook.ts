import type { SourceKind } from "../intake/index.ts";
import { closeNames } from "../lib/close-names.ts";
import { WEBHOOKS } from "./observe.ts";

/** A path that takes alerts, and the words by which it is meant. */
type Row = { path: string; words: readonly string[] };

function tableOf(kinds: readonly SourceKind[]): Row[] {
  return kinds.flatMap(({ id, keywords = [], endpoints }) =>
    endpoints.map(({ path }) => {
      const [first] = path.startsWith(`${WEBHOOKS}/`) ? path.slice(WEBHOOKS.length + 1).split("/") : [];
      const words = [id, ...(first === undefined ? [] : [first]), ...keywords].map(folded);
      return { path: path.replace(":name", "NAME"), words };
    }),
  );
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
function named(table: readonly Row[], word: string): string[] {
  const exactly = table.filter(({ words }) => words.includes(word));
  if (exactly.length > 0) return exactly.map(({ path }) => path);
  // Two edits make any short word of any other.
  if (word.length < SHORTEST) return [];
  const long = table.flatMap(({ words }) => words).filter((one) => one.length >= SHORTEST);
  const [close] = closeNames(word, long);
  return table.filter(({ words }) => close !== undefined && words.includes(close)).map(({ path }) => path);
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
 * Says what a caller of a path that takes no alerts may have meant, as a sentence behind a blank; empty for a path that
 * has nothing of a webhook. Says nothing but what the API's description does.
 */
export function webhookHints(kinds: readonly SourceKind[]): (path: string) => string {
  const table = tableOf(kinds);
  return (path) => {
    if (path.length > LONGEST) return "";
    const words = path.split(/[/.]+/).map(folded);
    const names = words.filter((word) => !NOT_A_NAME.test(word) && !ANY_WEBHOOK.test(word));
    const found = [...new Set(names.flatMap((name) => named(table, name)))];
    const [first, ...others] = found.slice(0, 3);
    if (first !== undefined) {
      const or = others.length === 0 ? "" : ` or ${others.join(" or ")}`;
      return ` Did you mean POST ${first}${or}?`;
    }
    const asked = words.some((word) => ANY_WEBHOOK.test(word)) || names.length === 0;
    if (!asked) return "";
    return ` Alerts are sent to one of these: ${table.map((one) => one.path).join(", ")}.`;
  };
}
