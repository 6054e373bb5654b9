import { addSeconds } from "../lib/clock.ts";
import type { Escalation } from "./types.ts";

const DAY = 86_400;

/** Returns the start of each tier's counting window: 1, 7 and 30 days before `now`. */
export function escalationMoments(now: Date): Date[] {
  return [1, 7, 30].map((days) => addSeconds(now, -days * DAY));
}

/**
 * Returns the escalation tier for the counts within 1, 7 and 30 days: 1 is the lowest; at 4, the same repair again is no
 * answer. Pure.
 */
export function escalationLevel(counts: readonly number[], limits: Escalation): number {
  const [day = 0, week = 0, month = 0] = counts;
  if (month >= limits.in_30_days) return 4;
  if (week >= limits.in_7_days) return 3;
  return day >= limits.in_24_hours ? 2 : 1;
}
