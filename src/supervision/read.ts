import type { WireProcess } from "../contract/process.ts";
import { kindOf } from "../lib/actor.ts";
import type { WatchState } from "./evaluate-watch.ts";
import type { ProcessRow, RunningProcess, SupervisedProcess } from "./types.ts";
import { isWatched } from "./watch.ts";

/** What the server knows about a process since the server's own start. */
export type ObservedState = Pick<WireProcess, "probe"> &
  Pick<WatchState, "unseen"> & { ran: boolean; waits: string | null };

type ProcessReading = RunningProcess | null | { error: string };

function stateOf(row: ProcessRow | undefined, live: ProcessReading): WireProcess["state"] {
  if (row !== undefined && row.state !== "up") return row.state;
  if (live !== null && "error" in live) return "unknown";
  if (live === null) return "not_running";
  return live.suspended ? "suspended" : "running";
}

/** Returns a process as shown by the API. `seen`: what runs of it now. Pure. */
export function presentProcess(
  process: SupervisedProcess,
  row: ProcessRow | undefined,
  { ran, probe, waits, unseen }: ObservedState,
  { seen, now, copies }: { seen: ProcessReading; now: Date; copies: readonly number[] },
): WireProcess {
  const live = seen === null || "error" in seen ? null : seen;
  const missed = seen !== null && "error" in seen ? { why: seen.error, since: now.toISOString() } : null;
  return {
    name: process.name,
    state: stateOf(row, seen),
    pid: live?.pid ?? null,
    started_at: live?.started_at ?? null,
    copies: [...copies],
    changed: live?.changed ?? false,
    autostart: process.autostart,
    watched: isWatched(process, row, ran || live !== null),
    probe,
    unseen: unseen === null ? missed : { why: unseen.why, since: unseen.since.toISOString() },
    down_since: row?.state === "down" ? row.since.toISOString() : null,
    problem: waits ?? row?.problem ?? null,
    asked_by: row?.asked_by ?? null,
    asked_by_kind: row?.asked_by == null ? null : kindOf(row.asked_by_kind),
    asked_at: row?.asked_at?.toISOString() ?? null,
  };
}
