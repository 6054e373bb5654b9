import type { StreamState } from "../../../intake/index.ts";
import { messageOf } from "../../../lib/error.ts";

/** Redis errors by how they begin, with the text to show instead; Redis' own message goes to the log only. */
const WORDS: readonly [RegExp, string][] = [
  [/^(WRONGPASS|NOAUTH|ERR (invalid password|AUTH))/, "refuses our user or password"],
  [/^NOPERM/, "denies our user a permission it needs"],
  [/^LOADING/, "is loading its data"],
  [/^OOM/, "has no memory left for a signal"],
  [/^READONLY/, "is a replica, which is read-only"],
  [/^MISCONF/, "cannot write to its disk"],
  [/^(MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)/, "does not serve the stream's key now"],
  [/^WRONGTYPE/, "has something else under the stream's key"],
  [/^BUSY /, "is busy with a script"],
  [/^ERR unknown (sub)?command/, "lacks commands: Redis 6.2 or newer is needed"],
];

/** Returns the state of a Redis that cannot be used, with a detail that describes the error. */
export function unreachable(error: unknown): StreamState {
  const text = messageOf(error);
  const words = WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? "does not answer";
  return { up: false, durable: false, detail: words };
}

export type Facts = {
  /** The fields of Redis' INFO. */
  info: ReadonlyMap<string, string>;
  /** The `*append*` settings of CONFIG GET; null when Redis does not permit the command. */
  settings: Readonly<Record<string, string>> | null;
};

export function parseInfo(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).map((line) => /^([a-z_0-9]+):(.*)$/.exec(line));
  return new Map(lines.flatMap((found) => (found?.[1] === undefined ? [] : [[found[1], found[2] ?? ""]])));
}

/** Returns why Redis may lose an acknowledged entry before it is read; null when it is on disk before the answer. */
function whyNotDurable({ info, settings }: Facts): string | null {
  if (info.get("aof_enabled") !== "1") return "appendonly is off";
  if (settings === null) return "its settings may not be read";
  if (settings.appendfsync !== "always") return `appendfsync is ${settings.appendfsync}`;
  if (settings["no-appendfsync-on-rewrite"] !== "no") return "no-appendfsync-on-rewrite is set";
  // A replica that is promoted may lack the entries that were acknowledged last.
  if (info.get("connected_slaves") !== "0") return "replicas may take over";
  if (/^allkeys/.test(info.get("maxmemory_policy") ?? "")) return "maxmemory-policy may evict the stream";
  return null;
}

/** Returns the state of a Redis that answers: whether it can be written to, and whether it is durable. */
export function streamStateOf(facts: Facts): StreamState {
  if (facts.info.get("role") === "slave") return unreachable("READONLY");
  const why = whyNotDurable(facts);
  if (why === null) return { up: true, durable: true, detail: "stores signals durably on disk" };
  return { up: true, durable: false, detail: `stores signals, after the journal: ${why}` };
}
