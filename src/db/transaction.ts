import { PgTransaction } from "drizzle-orm/pg-core";
import type { Db } from "./client.ts";
import type { Ctx } from "./ctx.ts";
import { hasState } from "./failure.ts";

type Hook = () => Promise<void>;

const hooks = new WeakMap<object, Map<string, Hook>>();
const afterwards = new WeakMap<object, (() => void)[]>();

// Deadlock and serialisation failures: PostgreSQL undid everything, so doing it again is safe.
const RETRIED_STATES = ["40001", "40P01"];
const TRIES = 4;

/**
 * Runs `work` in one transaction: the caller's if it has one open, else a new one. On a deadlock the
 * whole is run again, so `work` does nothing but SQL.
 */
export async function transaction<T>(ctx: Ctx, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  if (ctx.db instanceof PgTransaction) return work(ctx);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const after: (() => void)[] = [];
      const result = await ctx.db.transaction(async (tx) => {
        const db = tx as unknown as Db;
        const pending = new Map<string, Hook>();
        hooks.set(db, pending);
        afterwards.set(db, after);
        const done = await work({ ...ctx, db });
        for (const hook of pending.values()) await hook();
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

/**
 * Has `hook` run once, as the last thing before the open transaction commits. For what takes a lock
 * that every writer wants (the head of the audit chain): taken last, it can be in no deadlock.
 */
export function beforeCommit(ctx: Ctx, key: string, hook: Hook): void {
  const pending = hooks.get(ctx.db);
  if (pending === undefined) throw new Error("beforeCommit outside a transaction");
  if (!pending.has(key)) pending.set(key, hook);
}

/** Has `hook` run once the open transaction has committed, and never if it does not. It must not throw. */
export function afterCommit(ctx: Ctx, hook: () => void): void {
  const after = afterwards.get(ctx.db);
  if (after === undefined) throw new Error("afterCommit outside a transaction");
  after.push(hook);
}
