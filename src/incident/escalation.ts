import { addSeconds } from "../lib/clock.ts";
import type { Escalation } from "./types.ts";

const DAY = 86_400;

/** From when on the times are counted for a tier: a day, 7 and 30 days. */
export function escalationMoments(now: Date): Date[] {
  return [1, 7, 30].map((days) => addSeconds(now, -days * DAY));
}

/**
 * The tier of trouble that has come so often within a day, 7 and 30 days: 1 is the first, from 4 on treating
 * the symptom again is no answer. Pure.
 */
export function escalationLevel(counts: readonly number[], limits: Escalation): number {
  const [day = 0, week = 0, month = 0] = counts;
  if (month >= limits.in_30_days) return 4;
  if (week >= limits.in_7_days) return 3;
  return day >= limits.in_24_hours ? 2 : 1;
}
