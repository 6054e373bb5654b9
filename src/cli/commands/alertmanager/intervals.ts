import { MONTHS, WEEKDAYS } from "../../../lib/time-interval.ts";
import type { IntervalConfig } from "./read.ts";

const DAYS = Array.from({ length: 31 }, (_, index) => String(index + 1));

/** Returns the entries of `all` in no range of `list`; null when a range cannot be parsed. */
function others(list: readonly string[], all: readonly string[], numbered: boolean): string[] | null {
  const placeOf = (word: string) => {
    const place = all.indexOf(word.trim().toLowerCase());
    return place >= 0 || !numbered || !/^\d{1,2}$/.test(word.trim()) ? place : Number(word) - 1;
  };
  const inside = new Set<number>();
  for (const range of list) {
    const [from, to = from] = range.split(":").map(placeOf);
    if (from === undefined || to === undefined || from < 0 || to < from || to >= all.length) return null;
    for (let at = from; at <= to; at += 1) inside.add(at);
  }
  return all.filter((_, at) => !inside.has(at));
}

type Times = NonNullable<IntervalConfig["times"]>;

function otherTimes(times: Times): Times {
  const sorted = times
    .map(({ start_time, end_time }) => [start_time.padStart(5, "0"), end_time.padStart(5, "0")] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  const gaps: Times = [];
  let until = "00:00";
  for (const [start, end] of [...sorted, ["24:00", "24:00"] as const]) {
    if (start > until) gaps.push({ start_time: until, end_time: start });
    if (end > until) until = end;
  }
  return gaps;
}

/**
 * Returns intervals that cover all times outside `interval`, one for each of its conditions, inverted; null when
 * they cannot be expressed.
 */
export function complementOf(interval: IntervalConfig): IntervalConfig[] | null {
  const { times, weekdays, days_of_month, months, years, location } = interval;
  if (years !== undefined) return null;
  const turned = [
    times && { times: otherTimes(times) },
    weekdays && { weekdays: others(weekdays, WEEKDAYS, false) },
    days_of_month && { days_of_month: others(days_of_month, DAYS, false) },
    months && { months: others(months, MONTHS, true) },
  ].filter((one) => one !== undefined);
  if (turned.some((one) => Object.values(one)[0] === null)) return null;
  const zone = location === undefined ? {} : { location };
  return turned
    .filter((one) => Object.values(one)[0]?.length !== 0)
    .map((one) => ({ ...one, ...zone }) as IntervalConfig);
}

const KNOWN = ["times", "weekdays", "days_of_month", "months", "years", "location"];

/** Returns the interval with AWOOOI's keys only, without undefined ones. */
export function plainInterval(interval: IntervalConfig): Record<string, unknown> {
  return Object.fromEntries(
    KNOWN.flatMap((key) => (interval[key] === undefined ? [] : [[key, interval[key]]])),
  );
}
