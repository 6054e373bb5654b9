import { beyond, together } from "../narrows.ts";
import type { AlertNotice } from "../types.ts";
import { endOf } from "./decide.ts";

/** What was said of an alert in a row: one notice, or the calls of a source that counts them. */
type Turn = { status: AlertNotice["status"]; calls: boolean; notices: Map<string, AlertNotice> };

// So many turns of an alert take effect one after the other, each with statements of its own; nobody's alerts turn
// so often between two looks at them.
const EXACT = 6;

/**
 * Alerts in the order they came, cut so that no part holds one twice, but for calls of a source that counts
 * them: what was said of one alert close together takes effect one after the other. What a sender says again
 * with nothing else between is only counted. Of an alert that turns more than six times its beginning and its last two
 * turns take effect, and the outages between are counted: so there are six parts at most.
 */
export function noticeBatches(alerts: readonly AlertNotice[]): AlertNotice[][] {
  const turns = new Map<string, Turn[]>();
  for (const alert of alerts) {
    const before = turns.get(alert.identity);
    if (before === undefined) turns.set(alert.identity, [turnOf(alert)]);
    else take(before, alert);
  }
  const parts: AlertNotice[][] = [];
  for (const all of turns.values())
    for (const [at, turn] of folded(all).entries()) {
      parts[at] ??= [];
      for (const notices of turn.notices.values()) parts[at]?.push(notices);
    }
  return parts;
}

const isCall = (alert: AlertNotice) => alert.of_call && alert.status === "firing";

const turnOf = (alert: AlertNotice): Turn => ({
  status: alert.status,
  calls: isCall(alert),
  notices: new Map([[alert.instance_key, { ...alert }]]),
});

/** Whether it says when the trouble ended. What does not says: now, which no other end stands for. */
const namesEnd = (alert: AlertNotice) => alert.status === "resolved" && endOf(alert) === alert.ends_at;

function take(turns: Turn[], alert: AlertNotice): void {
  const last = turns.at(-1);
  const same = last?.notices.get(alert.instance_key);
  const again =
    same?.status === alert.status &&
    (isCall(alert) || (same.sender === alert.sender && namesEnd(same) === namesEnd(alert)));
  if (same !== undefined && again) repeat(same, alert);
  else if (last?.calls && isCall(alert)) last.notices.set(alert.instance_key, { ...alert });
  else turns.push(turnOf(alert));
}

/** Whatever is said in between, nothing of what narrows is forgotten. */
function narrow(notices: AlertNotice, { severity, narrows }: AlertNotice): void {
  if (severity !== null && (notices.severity === null || severity < notices.severity))
    notices.severity = severity;
  if (beyond(notices.narrows, narrows).length > 0) notices.narrows = together(notices.narrows, narrows);
}

/** Of what is said again the latest counts. */
function repeat(notices: AlertNotice, again: AlertNotice): void {
  notices.times += again.times;
  const { holds_until } = again;
  narrow(notices, again);
  if (holds_until != null && (notices.holds_until == null || holds_until > notices.holds_until))
    notices.holds_until = holds_until;
  if (notices.status === "firing") notices.said_last = again.place;
  if (notices.status === "firing" || endOf(again) < endOf(notices)) return;
  const { place, received_at, starts_at, start_known, ends_at } = again;
  Object.assign(notices, { place, received_at, starts_at, start_known, ends_at });
}

/** How many outages begin with each turn: each call, and what fires after its own sender told of another end. */
function* begun(turns: readonly Turn[]): Generator<number> {
  const told = new Map<string, Date>();
  let over: string | undefined;
  for (const { status, calls, notices } of turns) {
    const [first] = notices.values();
    if (first === undefined) continue;
    if (status === "firing") {
      yield calls ? notices.size : Number(over === first.sender);
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
  const [counts] = last?.notices.values() ?? [];
  if (last === undefined || counts === undefined) return effective;
  const outages = [...begun(turns)];
  let count = 0;
  for (const [at, turn] of turns.entries()) {
    if (!places.has(at))
      for (const notices of turn.notices.values()) {
        counts.times += notices.times;
        if (notices.status === "firing") narrow(counts, notices);
      }
    if (!places.has(at) || turn === last) count += outages[at] ?? 0;
  }
  // With the last itself, which may go on with one that is only counted.
  counts.folded = Math.max(0, count - (last.calls ? last.notices.size : 1));
  return effective;
}
