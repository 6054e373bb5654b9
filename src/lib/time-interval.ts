import { z } from "zod";
import { example } from "./setting.ts";

/** A range of numbers, both ends included. */
type Range = { from: number; to: number };

/** A recurring time: every list that is not empty must have a matching range, in the time zone `location`. */
export type TimeInterval = {
  times: Range[];
  weekdays: Range[];
  days_of_month: Range[];
  months: Range[];
  years: Range[];
  location: string;
};

/** Names as in Alertmanager; the index is the weekday's number, from 0. */
export const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
export const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

/** Schema of a list of ranges such as `monday:friday`, `5` or `-3:-1`; `read` returns the number of a word, if any. */
const ranges = (what: string, read: (word: string) => number | undefined) =>
  z
    .array(z.union([z.string(), z.number().int()]).transform(String))
    .default([])
    .transform((list, check) =>
      list.map((text): Range => {
        const words = text.split(":").map((word) => read(word.trim().toLowerCase()));
        const [from, to = from] = words;
        const fits =
          words.length <= 2 && from !== undefined && to !== undefined && !words.includes(undefined);
        // The length of the month is unknown here: a range from a positive to a negative day is resolved in `isWithin`.
        if (!fits || (from > to && from > 0 === to > 0) || (from < 0 && to > 0)) {
          check.addIssue({ code: "custom", message: `${JSON.stringify(text)} is not a range of ${what}` });
          return { from: 0, to: 0 };
        }
        return { from, to };
      }),
    );

const within = (least: number, most: number) => (word: string) => {
  const number = /^-?\d{1,4}$/.test(word) ? Number(word) : Number.NaN;
  return number >= least && number <= most && number !== 0 ? number : undefined;
};
const named = (names: readonly string[], first: number) => (word: string) => {
  const index = names.indexOf(word);
  return index < 0 ? undefined : index + first;
};
const monthOf = (word: string) => named(MONTHS, 1)(word) ?? within(1, 12)(word);

const clock = z
  .string()
  .regex(/^(([01]?\d|2[0-3]):[0-5]\d|24:00)$/, "write a time as HH:MM, up to 24:00")
  .transform((text) => {
    const [hours = 0, minutes = 0] = text.split(":").map(Number);
    return hours * 60 + minutes;
  });

const times = z
  .array(
    z
      .strictObject({ start_time: clock, end_time: clock })
      .refine(({ start_time, end_time }) => start_time < end_time, "must end after it starts")
      // `end_time` is exclusive.
      .transform(({ start_time, end_time }): Range => ({ from: start_time, to: end_time - 1 })),
  )
  .default([]);

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Schema of a time interval in Alertmanager's syntax: one entry of each list must match. */
export const timeInterval = z.strictObject({
  times: example(times, [{ start_time: "18:00", end_time: "24:00" }]),
  weekdays: example(ranges("weekdays", named(WEEKDAYS, 0)), ["monday:friday", "sunday"]),
  days_of_month: example(ranges("days, from 1 to 31 or from -31 to -1", within(-31, 31)), ["-3:-1"]).describe(
    "-1 is the last day",
  ),
  months: example(ranges("months", monthOf), ["january:march", "12"]),
  years: example(ranges("years", within(1, 9999)), ["2026:2028"]),
  location: example(
    z.string().default("UTC").refine(isZone, "is not an IANA time zone"),
    "Europe/Berlin",
  ).describe("default: UTC"),
});

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  formats.set(timeZone, format);
  return format;
}

/** Returns local date and time at `at`: `minute` of the day, `weekday` from 0 for Sunday, and the month's number of `days`. */
function wallOf(at: Date, location: string) {
  const parts = formatOf(location).formatToParts(at);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const [year, month, day] = [of("year"), of("month"), of("day")];
  return {
    year,
    month,
    day,
    minute: of("hour") * 60 + of("minute"),
    weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
    days: new Date(Date.UTC(year, month, 0)).getUTCDate(),
  };
}

const inAny = (list: readonly Range[], value: number) =>
  list.length === 0 || list.some(({ from, to }) => from <= value && value <= to);

/** Returns whether `at` is in the interval, by Alertmanager's rules. */
export function isWithin(interval: TimeInterval, at: Date): boolean {
  const wall = wallOf(at, interval.location);
  // Negative days count from the month's end. A range that begins after the end of a short month never matches in it.
  const dayOf = (day: number) => (day < 0 ? wall.days + day + 1 : day);
  const days = interval.days_of_month.map(({ from, to }) => ({ from: dayOf(from), to: dayOf(to) }));
  return (
    inAny(interval.times, wall.minute) &&
    inAny(days, wall.day) &&
    inAny(interval.months, wall.month) &&
    inAny(interval.weekdays, wall.weekday) &&
    inAny(interval.years, wall.year)
  );
}
