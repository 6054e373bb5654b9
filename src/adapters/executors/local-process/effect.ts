import type { ProcessRecord } from "./process-file.ts";
import type { Live } from "./supervised.ts";

/** What is there when the outcome of a run is asked for. */
export type Traces = {
  record: Pick<ProcessRecord, "execution_id"> | undefined;
  live: Pick<Live, "pid" | "start_time" | "execution_id"> | undefined;
  /** Whether the system shows which processes an execution started. */
  visible: boolean;
};

/**
 * Whether the run took effect. Executions of one target do not overlap, so a live process of another
 * execution is an older one's. Pure.
 */
export function effectOf(
  run: { execution_id: string; before: Record<string, unknown> },
  { record, live, visible }: Traces,
): "done" | "not_done" | "cannot_tell" {
  const { execution_id, before } = run;
  // In the file alone: it was started, and has ended since.
  if (live?.execution_id === execution_id || record?.execution_id === execution_id) return "done";
  if (live === undefined) return visible ? "not_done" : "cannot_tell";
  if (live.pid === before.pid && live.start_time === before.start_time) return "not_done";
  return live.execution_id === null ? "cannot_tell" : "not_done";
}
