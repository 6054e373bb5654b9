import { and, asc, eq, isNull, lte, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { deliveries, outbox } from "../db/schema.ts";
import type { Notice } from "./types.ts";

/** A notice on its way to one notifier. */
export type Delivery = Notice & { seq: number; notifier: string; attempts: number; created_at: Date };

export async function insertNotice(ctx: Ctx, notice: Notice): Promise<void> {
  await ctx.db.insert(outbox).values({ ...notice, created_at: ctx.clock.now() });
}

/** Makes a delivery for each notifier out of every notice that has none yet; returns how many notices. */
export async function routeNotices(ctx: Ctx, notifiers: readonly string[], limit: number): Promise<number> {
  const now = ctx.clock.now();
  const notices = await ctx.db
    .select({ seq: outbox.seq })
    .from(outbox)
    .where(isNull(outbox.routed_at))
    .orderBy(asc(outbox.seq))
    .limit(limit)
    .for("update", { skipLocked: true });
  for (const { seq } of notices) {
    const rows = notifiers.map((notifier) => ({
      outbox_seq: seq,
      notifier,
      state: "waiting" as const,
      next_attempt_at: now,
    }));
    if (rows.length > 0) await ctx.db.insert(deliveries).values(rows).onConflictDoNothing();
    await ctx.db.update(outbox).set({ routed_at: now }).where(eq(outbox.seq, seq));
  }
  return notices.length;
}

/** What is due, in order; `limit` of each notifier, so that none waits behind what another cannot take. */
export async function dueDeliveries(ctx: Ctx, limit: number): Promise<Delivery[]> {
  const due = and(eq(deliveries.state, "waiting"), lte(deliveries.next_attempt_at, ctx.clock.now()));
  const notifiers = await ctx.db.selectDistinct({ id: deliveries.notifier }).from(deliveries).where(due);
  const ofNotifier = (id: string) =>
    ctx.db
      .select()
      .from(deliveries)
      .innerJoin(outbox, eq(outbox.seq, deliveries.outbox_seq))
      .where(and(due, eq(deliveries.notifier, id)))
      .orderBy(asc(deliveries.outbox_seq))
      .limit(limit);
  const rows = (await Promise.all(notifiers.map(({ id }) => ofNotifier(id)))).flat();
  return rows.map(({ deliveries: delivery, outbox: notice }) => ({
    ...(notice as Notice & { seq: number; created_at: Date }),
    notifier: delivery.notifier,
    attempts: delivery.attempts,
  }));
}

export async function updateDelivery(
  ctx: Ctx,
  delivery: Pick<Delivery, "seq" | "notifier">,
  change: Partial<typeof deliveries.$inferInsert>,
): Promise<void> {
  await ctx.db
    .update(deliveries)
    .set(change)
    .where(and(eq(deliveries.outbox_seq, delivery.seq), eq(deliveries.notifier, delivery.notifier)));
}

/** Which of these pieces of work wait in the engine's queue or are being done. */
export async function unfinishedWork(ctx: Ctx, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await ctx.db.execute<{ id: string }>(sql`
    select workflow_uuid as id from dbos.workflow_status
     where workflow_uuid = any(${sql.param([...ids])}::text[]) and status in ('ENQUEUED', 'DELAYED', 'PENDING')`);
  return new Set(rows.map((row) => row.id));
}

/** A row of the workflow engine's queue, by its own SQL function: it commits and rolls back with ours. */
export async function insertWork(
  ctx: Ctx,
  work: { id: string; kind: string; argument: object; name: string; version: string; application: string },
): Promise<void> {
  const { id, kind, argument, name, version, application } = work;
  await ctx.db.execute(sql`
    select dbos.enqueue_workflow(
      workflow_name => ${kind}, queue_name => ${name}, positional_args => array[${JSON.stringify(argument)}::json],
      workflow_id => ${id}, app_version => ${version}, application_name => ${application})`);
}
