import type { Silence } from "../contract/silence.ts";
import { kindOf } from "../lib/actor.ts";
import type { SilenceRow } from "./types.ts";

/** Returns the status of a silence: pending before its start, expired from its end on, active in between. */
export function statusOf(
  { starts_at, ends_at }: Pick<SilenceRow, "starts_at" | "ends_at">,
  now: Date,
): Silence["status"] {
  if (ends_at <= now) return "expired";
  return starts_at > now ? "pending" : "active";
}

/** Returns a silence in the form in which it crosses the wire. */
export function presentSilence(row: SilenceRow, now: Date): Silence {
  return {
    ...row,
    created_by_kind: kindOf(row.created_by_kind),
    ended_by_kind: row.ended_by === null ? null : kindOf(row.ended_by_kind),
    status: statusOf(row, now),
    starts_at: row.starts_at.toISOString(),
    ends_at: row.ends_at.toISOString(),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
