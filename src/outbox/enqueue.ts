import type { Ctx } from "../db/ctx.ts";
import { defer } from "../db/transaction.ts";
import { insertWork } from "./store.ts";
import type { Work } from "./types.ts";

/** Where workflows wait; one application version for ever, or an upgrade would strand running ones. */
export const QUEUE = { name: "journey", version: "1", application: "awoooi" } as const;

/** One id per piece of work: enqueued twice, it runs once. */
export function workId(work: Work): string {
  switch (work.kind) {
    case "conclude":
      return `conclude:${work.incident_id}:${work.resolution}`;
    case "investigate":
      return `investigate:${work.token}`;
    default:
      return `${work.kind}:${work.approval_id}`;
  }
}

/** The id of a further run of a piece of work, after one that failed. */
export function againId(work: Work, again: number): string {
  return again === 0 ? workId(work) : `${workId(work)}:again-${again}`;
}

/**
 * Has `work` run once the open transaction commits, and never if it does not. `again` tells a further
 * run, after one that failed, from the first.
 */
export function enqueue(ctx: Ctx, work: Work, again = 0): void {
  const row = { id: againId(work, again), kind: work.kind, argument: work };
  defer(ctx, "work", row, (tx, rows) => insertWork(tx, rows, QUEUE));
}
