import type { Ctx } from "../db/ctx.ts";
import { defer } from "../db/transaction.ts";
import { insertWork } from "./store.ts";
import type { QueuedWork } from "./types.ts";

/**
 * The workflow engine's queue, partitioned by kind of work so that no kind takes another's slots. The application
 * version never changes: after an upgrade the engine would not resume workflows of another version.
 */
export const QUEUE = { name: "work", version: "1", application: "awoooi" } as const;

/** The unpartitioned queue of earlier versions: workflows that an upgrade finds in it are still run. */
export const FORMER_QUEUE = "journey";

const inTurn = (id: string, turn = 0) => (turn === 0 ? id : `${id}:turn-${turn}`);

/** Returns the workflow id of a piece of work: work that is enqueued twice runs once. */
export function workId(work: QueuedWork): string {
  switch (work.kind) {
    case "conclude":
      return `conclude:${work.incident_id}:${work.resolution}`;
    case "investigate":
      return `investigate:${work.token}`;
    case "execute":
    case "verify":
      return inTurn(`${work.kind}:${work.approval_id}`, work.turn);
    default:
      return `${work.kind}:${work.approval_id}`;
  }
}

/** Returns the workflow id of rerun number `again` of an execution whose earlier run was lost. */
export function againId({ approval_id }: Extract<QueuedWork, { kind: "execute" }>, again: number): string {
  return `execute:${approval_id}:again-${again}`;
}

/** Adds `turn: 0` to work of kind `execute` that has no turn. */
const argumentOf = (work: QueuedWork): QueuedWork => (work.kind === "execute" ? { turn: 0, ...work } : work);

/**
 * Enqueues `work` in the open transaction: it runs only if that commits, and not before `after` seconds have passed.
 * A rerun of lost work needs an `id` of its own.
 */
export function enqueue(ctx: Ctx, work: QueuedWork, { after = 0, id = workId(work) } = {}): void {
  const row = { id, kind: work.kind, argument: argumentOf(work), after };
  defer(ctx, "work", row, (tx, rows) => insertWork(tx, rows, QUEUE));
}
