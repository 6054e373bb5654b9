import { beyond, together } from "../narrows.ts";
import type { HeardAlert } from "../types.ts";
import { endOf } from "./decide.ts";

/** What was said of an alert in a row: one notice, or the calls of a source that counts them. */
type Turn = { status: HeardAlert["status"]; calls: boolean; heard: Map<string, HeardAlert> };

// So many turns of an alert take effect one after the other, each with statements of its own; nobody's alerts turn
// so often between two looks at them.
const EXACT = 6;

/**
 * Alerts in the order they came, cut so that no part holds one twice, but for calls of a source that counts
 * them: what was said of one alert close together takes effect one after the other. What a sender says again
 * with nothing else between is only counted. Of an alert that turns more than six times its beginning and its last two
 * turns take effect, and the outages between are counted: so there are six parts at most.
 */
export function waves(alerts: readonly HeardAlert[]): HeardAlert[][] {
  const turns = new Map<string, Turn[]>();
  for (const alert of alerts) {
    const before = turns.get(alert.identity);
    if (before === undefined) turns.set(alert.identity, [turnOf(alert)]);
    else take(before, alert);
  }
  const parts: HeardAlert[][] = [];
  for (const all of turns.values())
    for (const [at, turn] of folded(all).entries()) {
      parts[at] ??= [];
      for (const heard of turn.heard.values()) parts[at]?.push(heard);
    }
  return parts;
}

const isCall = (alert: HeardAlert) => alert.of_call && alert.status === "firing";

const turnOf = (alert: HeardAlert): Turn => ({
  status: alert.status,
  calls: isCall(alert),
  heard: new Map([[alert.instance_key, { ...alert }]]),
});

/** Whether it says when the trouble ended. What does not says: now, which no other end stands for. */
const namesEnd = (alert: HeardAlert) => alert.status === "resolved" && endOf(alert) === alert.ends_at;

function take(turns: Turn[], alert: HeardAlert): void {
  const last = turns.at(-1);
  const same = last?.heard.get(alert.instance_key);
  const again =
    same?.status === alert.status &&
    (isCall(alert) || (same.sender === alert.sender && namesEnd(same) === namesEnd(alert)));
  if (same !== undefined && again) repeat(same, alert);
  else if (last?.calls && isCall(alert)) last.heard.set(alert.instance_key, { ...alert });
  else turns.push(turnOf(alert));
}

/** Whatever is said in between, nothing of what narrows is forgotten. */
function narrow(heard: HeardAlert, { severity, narrows }: HeardAlert): void {
  if (severity !== null && (heard.severity === null || severity < heard.severity)) heard.severity = severity;
  if (beyond(heard.narrows, narrows).length > 0) heard.narrows = together(heard.narrows, narrows);
}

/** Of what is said again the latest counts. */
function repeat(heard: HeardAlert, again: HeardAlert): void {
  heard.times += again.times;
  const { holds_until } = again;
  narrow(heard, again);
  if (holds_until != null && (heard.holds_until == null || holds_until > heard.holds_until))
    heard.holds_until = holds_until;
  if (heard.status === "firing") heard.said_last = again.place;
  if (heard.status === "firing" || endOf(again) < endOf(heard)) return;
  const { place, received_at, starts_at, start_known, ends_at } = again;
  Object.assign(heard, { place, received_at, starts_at, start_known, ends_at });
}

/** How many outages begin with each turn: each call, and what fires after its own sender told of another end. */
function* begun(turns: readonly Turn[]): Generator<number> {
  const told = new Map<string, Date>();
  let over: string | undefined;
  for (const { status, calls, heard } of turns) {
    const [first] = heard.values();
    if (first === undefined) continue;
    if (status === "firing") {
      yield calls ? heard.size : Number(over === first.sender);
      over = undefined;
      continue;
    }
    // The same end said again is of the outage before; without one it is now.
    const end = endOf(first);
    const before = told.get(first.sender);
    if (before === undefined || end !== first.ends_at || end > before) over = first.sender;
    told.set(first.sender, before === undefined || end > before ? end : before);
    yield 0;
  }
}

/** Places of the turns that take effect: of many the beginning, the last, and the one that it turned from. */
function kept(turns: readonly Turn[]): ReadonlySet<number> {
  const last = turns.length - 1;
  const from = turns.findLastIndex((turn) => turn.status !== turns[last]?.status);
  if (turns.length <= EXACT) return new Set(turns.keys());
  if (from <= 1) return new Set([0, 1, last]);
  // Two in a row that say the same would pass for one outage.
  return new Set(turns[1]?.status === turns[from]?.status ? [0, from, last] : [0, 1, from, last]);
}

/** The turns that take effect, with the number of outages that are only counted. */
function folded(turns: readonly Turn[]): readonly Turn[] {
  const places = kept(turns);
  if (places.size === turns.length) return turns;
  const effective = turns.filter((_, at) => places.has(at));
  const last = effective.findLast((turn) => turn.status === "firing");
  const [counts] = last?.heard.values() ?? [];
  if (last === undefined || counts === undefined) return effective;
  const outages = [...begun(turns)];
  let count = 0;
  for (const [at, turn] of turns.entries()) {
    if (!places.has(at))
      for (const heard of turn.heard.values()) {
        counts.times += heard.times;
        if (heard.status === "firing") narrow(counts, heard);
      }
    if (!places.has(at) || turn === last) count += outages[at] ?? 0;
  }
  // With the last itself, which may go on with one that is only counted.
  counts.folded = Math.max(0, count - (last.calls ? last.heard.size : 1));
  return effective;
}
