import { z } from "zod";

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

const DAY = 86_400;

const span = z
  .union([
    z.number(),
    z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, "write a duration as 500ms, 30s, 10m, 1h or 7d"),
  ])
  .transform((value) => {
    if (typeof value === "number") return value;
    const [, number = "0", unit = "s"] = /^([\d.]+)([a-z]+)$/.exec(value) ?? [];
    return Number(number) * (UNITS[unit] ?? 1);
  });

/** Parses `30s`, `10m`, `1.5h`, `500ms`, `7d` or a number of seconds to seconds; at most 366 days. */
export const duration = span.refine(
  (seconds) => seconds >= 0 && seconds <= 366 * DAY,
  "must be between 0 and a year",
);

/** Parses a retention time to seconds. It must be at least `days`, as a typing error here would delete data. */
export const retentionDays = (days: number) =>
  span.refine((seconds) => seconds >= days * DAY && seconds <= 36_600 * DAY, {
    message: `must be at least ${days}d`,
  });

/** Like {@link retentionDays}, but also accepts `forever`, which becomes null. */
export const retentionDaysOrForever = (days: number) =>
  z.union([z.literal("forever").transform(() => null), retentionDays(days)]);

/** Formats milliseconds for people: `0.2 s`, `45 s`, `12 min`, `5 h`, `3 d`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(milliseconds, 0) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
