import { difference, union } from "../normalise/repair-restrictions.ts";
import type { AlertNotice } from "../types.ts";
import { reportedEnd } from "./decide.ts";

/** Consecutive notices of an alert that mean the same: one notice, or the calls of a source that counts them. */
type NoticeRun = { status: AlertNotice["status"]; calls: boolean; notices: Map<string, AlertNotice> };

// Up to this many runs of an alert take effect one after the other, each with statements of its own; a real alert does not
// change more often between two batches.
const EXACT = 6;

/**
 * Splits notices, in the order they came, into parts that hold no alert twice (except calls of a source that counts them), so
 * that notices of one alert take effect one after the other. A repetition by the same sender with nothing else between is only
 * counted. Of an alert with more than six runs only the beginning and the last two take effect, and the outages between are
 * counted: so there are at most six parts.
 */
export function noticeBatches(alerts: readonly AlertNotice[]): AlertNotice[][] {
  const runs = new Map<string, NoticeRun[]>();
  for (const alert of alerts) {
    const before = runs.get(alert.identity);
    if (before === undefined) runs.set(alert.identity, [newRun(alert)]);
    else appendNotice(before, alert);
  }
  const parts: AlertNotice[][] = [];
  for (const all of runs.values())
    for (const [at, run] of foldRuns(all).entries()) {
      parts[at] ??= [];
      for (const notices of run.notices.values()) parts[at]?.push(notices);
    }
  return parts;
}

const isCall = (alert: AlertNotice) => alert.of_call && alert.status === "firing";

const newRun = (alert: AlertNotice): NoticeRun => ({
  status: alert.status,
  calls: isCall(alert),
  notices: new Map([[alert.instance_key, { ...alert }]]),
});

/** Returns whether a resolved notice gives a valid end. One without means now, which no other end can stand for. */
const namesEnd = (alert: AlertNotice) => alert.status === "resolved" && reportedEnd(alert) === alert.ends_at;

function appendNotice(runs: NoticeRun[], alert: AlertNotice): void {
  const last = runs.at(-1);
  const same = last?.notices.get(alert.instance_key);
  const again =
    same?.status === alert.status &&
    (isCall(alert) || (same.sender === alert.sender && namesEnd(same) === namesEnd(alert)));
  if (same !== undefined && again) mergeRepetition(same, alert);
  else if (last?.calls && isCall(alert)) last.notices.set(alert.instance_key, { ...alert });
  else runs.push(newRun(alert));
}

/** Takes over what is narrower in a merged notice: its severity if worse, and further texts that may forbid automatic repair. */
function mergeRestrictions(notices: AlertNotice, { severity, narrows }: AlertNotice): void {
  if (severity !== null && (notices.severity === null || severity < notices.severity))
    notices.severity = severity;
  if (difference(notices.narrows, narrows).length > 0) notices.narrows = union(notices.narrows, narrows);
}

/** Merges a repeated notice into `notices`. Of resolved notices the one with the latest end counts. */
function mergeRepetition(notices: AlertNotice, again: AlertNotice): void {
  notices.times += again.times;
  const { holds_until } = again;
  mergeRestrictions(notices, again);
  if (holds_until != null && (notices.holds_until == null || holds_until > notices.holds_until))
    notices.holds_until = holds_until;
  if (notices.status === "firing") notices.said_last = again.place;
  if (notices.status === "firing" || reportedEnd(again) < reportedEnd(notices)) return;
  const { place, received_at, starts_at, start_known, ends_at } = again;
  Object.assign(notices, { place, received_at, starts_at, start_known, ends_at });
}

/** Yields the outages that begin with each run: one per call, one if it fires after a new end by the same sender. */
function* outagesBegun(runs: readonly NoticeRun[]): Generator<number> {
  const told = new Map<string, Date>();
  let over: string | undefined;
  for (const { status, calls, notices } of runs) {
    const [first] = notices.values();
    if (first === undefined) continue;
    if (status === "firing") {
      yield calls ? notices.size : Number(over === first.sender);
      over = undefined;
      continue;
    }
    // A repeated end belongs to the previous outage. A notice without an end means now, which is a new end.
    const end = reportedEnd(first);
    const before = told.get(first.sender);
    if (before === undefined || end !== first.ends_at || end > before) over = first.sender;
    told.set(first.sender, before === undefined || end > before ? end : before);
    yield 0;
  }
}

/** Returns the indexes of the runs to keep: up to `EXACT` all; else the first, the last, and the last of another status. */
function keptRuns(runs: readonly NoticeRun[]): ReadonlySet<number> {
  const last = runs.length - 1;
  const from = runs.findLastIndex((run) => run.status !== runs[last]?.status);
  if (runs.length <= EXACT) return new Set(runs.keys());
  if (from <= 1) return new Set([0, 1, last]);
  // Two kept runs in a row with the same status would pass for one outage.
  return new Set(runs[1]?.status === runs[from]?.status ? [0, from, last] : [0, 1, from, last]);
}

/** Returns the runs that take effect; the last firing one carries the number of outages that are only counted. */
function foldRuns(runs: readonly NoticeRun[]): readonly NoticeRun[] {
  const places = keptRuns(runs);
  if (places.size === runs.length) return runs;
  const effective = runs.filter((_, at) => places.has(at));
  const last = effective.findLast((run) => run.status === "firing");
  const [counts] = last?.notices.values() ?? [];
  if (last === undefined || counts === undefined) return effective;
  const outages = [...outagesBegun(runs)];
  let count = 0;
  for (const [at, run] of runs.entries()) {
    if (!places.has(at))
      for (const notices of run.notices.values()) {
        counts.times += notices.times;
        if (notices.status === "firing") mergeRestrictions(counts, notices);
      }
    if (!places.has(at) || run === last) count += outages[at] ?? 0;
  }
  // `count` includes the last firing run, which begins no outage where it continues one that is only counted.
  counts.folded = Math.max(0, count - (last.calls ? last.notices.size : 1));
  return effective;
}
