import type { Ctx } from "./ctx.ts";
import { hasState } from "./failure.ts";

type Pending = { rows: unknown[]; write: (ctx: Ctx, rows: never[]) => Promise<void> };

/** The rows that each open transaction writes just before its commit, and the hooks that run after it. */
const deferred = new WeakMap<object, Map<string, Pending>>();
const afterwards = new WeakMap<object, (() => void)[]>();

/** The key that is written last: every writer takes the ledger's lock, and taken last it causes no deadlock. */
const LAST = "audit";

// SQLSTATEs of serialisation failure and deadlock: PostgreSQL has rolled back, so a retry is safe.
const RETRIED_STATES = ["40001", "40P01"];
const TRIES = 4;

/**
 * Runs `work` in the caller's open transaction, else in a new one. A new one is retried as a whole after a
 * deadlock or serialisation failure, so `work` must do nothing but SQL.
 */
export async function transaction<T>(ctx: Ctx, work: (ctx: Ctx) => T | Promise<T>): Promise<T> {
  if (deferred.has(ctx.db)) return work(ctx);
  return run(ctx, work, () => {});
}

class RolledBack extends Error {}

/** Runs `work` with its deferred writes in a transaction of its own and rolls it back. Rejects as a real run would. */
export async function runAndRollBack(ctx: Ctx, work: (ctx: Ctx) => Promise<void>): Promise<void> {
  const undo = () => {
    throw new RolledBack("rolled back");
  };
  await run(ctx, work, undo).catch((error: unknown) => {
    if (!(error instanceof RolledBack)) throw error;
  });
}

/** Runs `work` in a new transaction with retries; `before` is called just before the commit. */
async function run<T>(ctx: Ctx, work: (ctx: Ctx) => T | Promise<T>, before: () => void): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const after: (() => void)[] = [];
      const result = await ctx.db.transaction(async (db) => {
        const pending = new Map<string, Pending>();
        deferred.set(db, pending);
        afterwards.set(db, after);
        const joined = { ...ctx, db };
        const done = await work(joined);
        await writeDeferred(joined, pending);
        before();
        return done;
      });
      for (const hook of after) hook();
      return result;
    } catch (error) {
      if (attempt >= TRIES || !hasState(error, RETRIED_STATES)) throw error;
      ctx.log.debug({ attempt }, "transaction run again after a conflict");
    }
  }
}

async function writeDeferred(ctx: Ctx, pending: Map<string, Pending>): Promise<void> {
  const last = pending.get(LAST);
  pending.delete(LAST);
  for (const { rows, write } of pending.values()) await write(ctx, rows as never[]);
  await last?.write(ctx, last.rows as never[]);
}

/**
 * Keeps `row` until just before the open transaction commits; `write` then writes all rows of `key` at once:
 * timeline, notices, work and audit entries cost one statement per transaction, not per row.
 */
export function defer<Row>(
  ctx: Ctx,
  key: "timeline" | "notices" | "work" | typeof LAST,
  row: Row,
  write: (ctx: Ctx, rows: Row[]) => Promise<void>,
): void {
  const open = deferred.get(ctx.db);
  if (open === undefined) throw new Error(`${key} is written outside a transaction`);
  const pending = open.get(key);
  if (pending === undefined) open.set(key, { rows: [row], write });
  else pending.rows.push(row);
}

/** Runs `hook` after the open transaction has committed, and never if it does not. `hook` must not throw. */
export function afterCommit(ctx: Ctx, hook: () => void): void {
  const after = afterwards.get(ctx.db);
  if (after === undefined) throw new Error("afterCommit outside a transaction");
  after.push(hook);
}
