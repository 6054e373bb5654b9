import type { Ctx } from "../db/ctx.ts";
import { defer } from "../db/transaction.ts";
import { insertWork } from "./store.ts";
import type { Work } from "./types.ts";

/**
 * Where workflows wait, each kind of work in a part of its own, so that none takes another's places. One application
 * version for ever, or an upgrade would strand running ones.
 */
export const QUEUE = { name: "work", version: "1", application: "awoooi" } as const;

/** Where all of them waited together before: what an upgrade finds there is still taken up. */
export const FORMER_QUEUE = "journey";

const inTurn = (id: string, turn = 0) => (turn === 0 ? id : `${id}:turn-${turn}`);

/** One id per piece of work: enqueued twice, it runs once. */
export function workId(work: Work): string {
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

/** The id of a further run of a piece of work, after one that was lost. */
export function againId({ approval_id }: Extract<Work, { kind: "execute" }>, again: number): string {
  return `execute:${approval_id}:again-${again}`;
}

/** Every execution has turns: those that have none were enqueued before there were any. */
const argumentOf = (work: Work): Work => (work.kind === "execute" ? { turn: 0, ...work } : work);

/**
 * Has `work` run once the open transaction commits, and never if it does not; `after` seconds later, if that is
 * given. `id` tells a further run of lost work from the first.
 */
export function enqueue(ctx: Ctx, work: Work, { after = 0, id = workId(work) } = {}): void {
  const row = { id, kind: work.kind, argument: argumentOf(work), after };
  defer(ctx, "work", row, (tx, rows) => insertWork(tx, rows, QUEUE));
}
