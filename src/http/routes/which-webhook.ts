import type { SourceKind } from "../../intake/index.ts";
import { closeNames } from "../../lib/close-names.ts";
import { WEBHOOKS } from "../observe.ts";

/** A path that accepts alerts, and the words by which callers may mean it. */
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

// Words in a path that suggest a webhook without naming its source.
const ANY_WEBHOOK = /^(web)?hooks?$/;
const NOT_A_NAME = /^(api|v\d+|index|receive|receiver|ingest|events?|enqueue|notify|json|)$/;
/** Longest path for which a hint is looked up; a longer one is not a typing error. */
const LONGEST = 300;
const SHORTEST = 5;

/** Returns the paths that a word may mean: all that it names exactly, else all whose word is closest to it. */
function named(table: readonly Row[], word: string): string[] {
  const exactly = table.filter(({ words }) => words.includes(word));
  if (exactly.length > 0) return exactly.map(({ path }) => path);
  // With two edits any short word becomes any other.
  if (word.length < SHORTEST) return [];
  const long = table.flatMap(({ words }) => words).filter((one) => one.length >= SHORTEST);
  const [close] = closeNames(word, long);
  return table.filter(({ words }) => close !== undefined && words.includes(close)).map(({ path }) => path);
}

// Paths that the health probes of other software use.
const HEALTH =
  /^\/(-\/|api\/|api\/v1\/)?(health|healthy|healthz|healthcheck|live|livez|liveness|ready|readyz|readiness|ping|status)\/?$/i;

/** Returns a hint, after a space, for a path where other software has its health endpoint; empty for others. Pure. */
export const whichHealth = (path: string): string =>
  path.length <= LONGEST && HEALTH.test(path)
    ? " Did you mean GET /api/v1/health, /api/v1/health/live or /api/v1/health/ready?"
    : "";

/**
 * Returns a function that suggests which webhook an unknown path may mean, as a sentence after a space; empty for a path that
 * does not look like a webhook. The hint says nothing that the API's description does not.
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
