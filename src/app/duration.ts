import { z } from "zod";

const UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** `30s`, `10m`, `1.5h`, `500ms`, `7d` or a plain number of seconds; as seconds. */
export const duration = z
  .union([
    z.number(),
    z.string().regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, "write a duration as 500ms, 30s, 10m, 1h or 7d"),
  ])
  .transform((value) => {
    if (typeof value === "number") return value;
    const [, number = "0", unit = "s"] = /^([\d.]+)([a-z]+)$/.exec(value) ?? [];
    return Number(number) * (UNITS[unit] ?? 1);
  })
  .refine((seconds) => seconds >= 0 && seconds <= 366 * 86_400, "must be between 0 and a year");
