import type { ProcessRecord } from "./process-file.ts";
import type { Live } from "./supervised.ts";

/** What is found of the process when a run's outcome is determined. */
export type Traces = {
  record: Pick<ProcessRecord, "execution_id"> | undefined;
  live: Pick<Live, "pid" | "start_time" | "execution_id"> | undefined;
  /** Whether the system shows which execution started a process. */
  visible: boolean;
};

/**
 * Returns whether the run took effect. Executions of one target do not overlap, so a live process of another
 * execution was started by an older one. Pure.
 */
export function effectOf(
  run: { execution_id: string; before: Record<string, unknown> },
  { record, live, visible }: Traces,
): "done" | "not_done" | "cannot_tell" {
  const { execution_id, before } = run;
  // If only the record has the execution, the process was started and has ended since.
  if (live?.execution_id === execution_id || record?.execution_id === execution_id) return "done";
  if (live === undefined) return visible ? "not_done" : "cannot_tell";
  if (live.pid === before.pid && live.start_time === before.start_time) return "not_done";
  return live.execution_id === null ? "cannot_tell" : "not_done";
}
