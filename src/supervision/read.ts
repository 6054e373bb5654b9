import type { WireProcess } from "../contract/process.ts";
import { kindOf } from "../lib/actor.ts";
import type { ProcessRow, ProcessSupervisor, RunningProcess, SupervisedProcess } from "./types.ts";
import { isWatched } from "./watch.ts";

/** What a server remembers of a process since its own start. */
export type Remembered = { ran: boolean; probe: WireProcess["probe"]; waits: string | null };

function stateOf(row: ProcessRow | undefined, live: RunningProcess | null): WireProcess["state"] {
  if (row !== undefined && row.state !== "up") return row.state;
  if (live === null) return "not_running";
  return live.suspended ? "suspended" : "running";
}

/** A process as it is shown. */
export async function presentProcess(
  process: SupervisedProcess,
  row: ProcessRow | undefined,
  { ran, probe, waits }: Remembered,
  supervisor: Pick<ProcessSupervisor, "find">,
): Promise<WireProcess> {
  const live = await supervisor.find(process.name);
  return {
    name: process.name,
    state: stateOf(row, live),
    pid: live?.pid ?? null,
    started_at: live?.started_at ?? null,
    changed: live?.changed ?? false,
    autostart: process.autostart,
    watched: isWatched(process, row, ran || live !== null),
    probe,
    down_since: row?.state === "down" ? row.since.toISOString() : null,
    problem: waits ?? row?.problem ?? null,
    asked_by: row?.asked_by ?? null,
    asked_by_kind: row?.asked_by == null ? null : kindOf(row.asked_by_kind),
    asked_at: row?.asked_at?.toISOString() ?? null,
  };
}
