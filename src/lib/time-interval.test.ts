import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED } from "../../test/support/random.ts";
import { isWithin, timeInterval } from "./time-interval.ts";

const HOUR = 3_600_000;
const DAY_NAMES = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTH_NAMES = ["january", "february", "march", "april", "may", "june", "july", "august", "september"];

const lastSunday = (year: number, month: number) => {
  const end = new Date(Date.UTC(year, month + 1, 0, 1));
  return end.getTime() - end.getUTCDay() * 24 * HOUR;
};
/** Hours ahead of UTC, by the rules as they are written in law. */
const OFFSETS: Record<string, (at: Date) => number> = {
  UTC: () => 0,
  "Asia/Tokyo": () => 9,
  "Asia/Kolkata": () => 5.5,
  "Europe/Berlin": (at) => {
    const year = at.getUTCFullYear();
    return at.getTime() >= lastSunday(year, 2) && at.getTime() < lastSunday(year, 9) ? 2 : 1;
  },
};

type Written = {
  times?: { start_time: string; end_time: string }[];
  weekdays?: string[];
  days_of_month?: string[];
  months?: string[];
  years?: string[];
  location?: string;
};

/** The same question answered naively: by a wall clock as numbers, and every member of every range. */
function oracle(written: Written, at: Date): boolean {
  const wall = new Date(at.getTime() + (OFFSETS[written.location ?? "UTC"]?.(at) ?? 0) * HOUR);
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth() + 1, wall.getUTCDate()];
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const members = (texts: string[] | undefined, number: (word: string) => number) =>
    texts?.flatMap((text) => {
      const [from = 0, to = from] = text.split(":").map(number);
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
    });
  const has = (list: number[] | undefined, value: number) => list === undefined || list.includes(value);
  const minute = wall.toISOString().slice(11, 16);
  return (
    (written.times === undefined ||
      written.times.some(({ start_time, end_time }) => start_time <= minute && minute < end_time)) &&
    has(
      members(written.weekdays, (word) => DAY_NAMES.indexOf(word)),
      wall.getUTCDay(),
    ) &&
    has(
      members(written.days_of_month, (word) => (Number(word) < 0 ? length + Number(word) + 1 : Number(word))),
      day,
    ) &&
    has(
      members(written.months, (word) => Number(word) || MONTH_NAMES.indexOf(word) + 1),
      month,
    ) &&
    has(members(written.years, Number), year)
  );
}

const two = (number: number) => String(number).padStart(2, "0");
const pair = (least: number, most: number) =>
  fc
    .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const range = (least: number, most: number, word: (n: number) => string = String) =>
  pair(least, most).map(([from, to]) => (from === to ? word(from) : `${word(from)}:${word(to)}`));
const some = (arbitrary: fc.Arbitrary<string>) =>
  fc.option(fc.array(arbitrary, { minLength: 1, maxLength: 3 }), { nil: undefined });
const written = fc.record({
  times: fc.option(
    fc.array(
      pair(0, 1_440)
        .filter(([from, to]) => from < to)
        .map(([from, to]) => ({
          start_time: `${two(Math.floor(from / 60))}:${two(from % 60)}`,
          end_time: `${two(Math.floor(to / 60))}:${two(to % 60)}`,
        })),
      { minLength: 1, maxLength: 2 },
    ),
    { nil: undefined },
  ),
  weekdays: some(range(0, 6, (n) => DAY_NAMES[n] ?? "")),
  days_of_month: some(
    fc.oneof(
      range(1, 31),
      range(-31, -1),
      pair(1, 28).map(([a, b]) => `${a}:${b - 32}`),
    ),
  ),
  months: some(
    fc.oneof(
      range(1, 12),
      range(1, 9, (n) => MONTH_NAMES[n - 1] ?? ""),
    ),
  ),
  years: some(range(2025, 2028)),
  location: fc.constantFrom(...Object.keys(OFFSETS)),
});
const moment = fc.oneof(
  fc.date({
    min: new Date("2025-01-01T00:00:00Z"),
    max: new Date("2028-12-31T23:59:59Z"),
    noInvalidDate: true,
  }),
  // Around the changes of the clocks.
  fc
    .tuple(fc.integer({ min: 2025, max: 2028 }), fc.constantFrom(2, 9), fc.integer({ min: -180, max: 180 }))
    .map(([year, month, minutes]) => new Date(lastSunday(year, month) + minutes * 60_000)),
);

test("says of any interval and moment what a naive reading of it says, also where clocks change", () => {
  const said = { in: 0, out: 0 };
  fc.assert(
    fc.property(written, moment, (interval, at) => {
      const given = Object.fromEntries(Object.entries(interval).filter(([, value]) => value !== undefined));
      const expected = oracle(given as Written, at);
      said[expected ? "in" : "out"] += 1;
      expect(isWithin(timeInterval.parse(given), at)).toBe(expected);
    }),
    { seed: SEED, numRuns: 2_000 },
  );
  expect(said.in).toBeGreaterThan(50);
  expect(said.out).toBeGreaterThan(50);
});

test("a local hour that the clocks leave out never comes, and one that they repeat comes twice", () => {
  const night = timeInterval.parse({
    times: [{ start_time: "02:00", end_time: "03:00" }],
    location: "Europe/Berlin",
  });
  const minutesIn = (day: string) =>
    Array.from(
      { length: 24 * 60 },
      (_, minute) => new Date(Date.parse(`${day}T00:00:00Z`) + minute * 60_000),
    ).filter((at) => isWithin(night, at)).length;
  expect([minutesIn("2026-03-29"), minutesIn("2026-10-25"), minutesIn("2026-07-01")]).toEqual([0, 120, 60]);
});

test("what is no interval is refused", () => {
  for (const wrong of [
    { times: [{ start_time: "10:00", end_time: "10:00" }] },
    { times: [{ start_time: "25:00", end_time: "26:00" }] },
    { weekdays: ["friday:monday"] },
    { weekdays: ["someday"] },
    { days_of_month: ["0"] },
    { days_of_month: ["32"] },
    { days_of_month: ["-1:5"] },
    { days_of_month: ["-1:-5"] },
    { months: ["13"] },
    { months: ["may:april"] },
    { years: ["2030:2020"] },
    { years: ["1:2:3"] },
    { location: "Mars/Olympus" },
    { mute: true },
  ])
    expect(timeInterval.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  expect(timeInterval.safeParse({ years: [2026], months: ["May"], days_of_month: [5] }).success).toBe(true);
});
