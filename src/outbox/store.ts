import { and, asc, eq, gt, isNotNull, isNull, lt, lte, notExists, sql } from "drizzle-orm";
import type { Ctx } from "../db/ctx.ts";
import { countRows, type Forget } from "../db/forget.ts";
import { jsonRows } from "../db/json-rows.ts";
import { oneOf } from "../db/one-of.ts";
import { deliveries, outbox } from "../db/schema.ts";
import { transaction } from "../db/transaction.ts";
import type { Notice } from "./types.ts";

/** A notice on its way to one notifier. */
export type Delivery = Notice & { seq: number; notifier: string; attempts: number; created_at: Date };

export async function insertNotices(
  ctx: Ctx,
  notices: readonly (Notice & { created_at: Date })[],
): Promise<void> {
  await ctx.db.execute(sql`
    insert into outbox (topic, incident_id, payload, created_at)
    select topic, incident_id, payload, created_at
      from json_to_recordset(${jsonRows(notices)}::json)
        as n(topic text, incident_id text, payload jsonb, created_at timestamptz)`);
}

/** The part of a notice by which it is routed to notifiers. */
export type NoticeSubject = Pick<Notice, "incident_id" | "payload">;

/**
 * Creates the deliveries of up to `limit` notices that were not routed yet, one per notifier, and returns how
 * many notices it routed. `assign` is called once for all of them and returns the notifiers of each.
 */
export async function routeNotices(
  ctx: Ctx,
  assign: (notices: readonly NoticeSubject[]) => Promise<(notice: NoticeSubject) => readonly string[]>,
  limit: number,
): Promise<number> {
  const now = ctx.clock.now();
  const notices = await ctx.db
    .select({ seq: outbox.seq, incident_id: outbox.incident_id, payload: outbox.payload })
    .from(outbox)
    .where(isNull(outbox.routed_at))
    .orderBy(asc(outbox.seq))
    .limit(limit)
    .for("update", { skipLocked: true });
  if (notices.length === 0) return 0;
  const notifiersOf = await assign(notices);
  for (const { seq, ...about } of notices) {
    const rows = notifiersOf(about).map((notifier) => ({
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

/** Returns due deliveries, at most `limit` of each notifier, oldest first: a failing notifier does not block another. */
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

/** A message that a channel has delivered. */
export type DeliveredMessage = Delivery & { message_id: string };

/** Which messages: those about an incident, or those that ask people to sign and are to be edited afterwards. */
type Which = { incident_id: string } | { awaits_edit: true };

/** Returns messages that a notifier has delivered, oldest first, at most `limit`. */
export async function deliveredMessages(
  ctx: Ctx,
  notifier: string,
  which: Which,
  limit: number,
): Promise<DeliveredMessage[]> {
  const rows = await ctx.db
    .select()
    .from(deliveries)
    .innerJoin(outbox, eq(outbox.seq, deliveries.outbox_seq))
    .where(
      and(
        eq(deliveries.notifier, notifier),
        isNotNull(deliveries.message_id),
        "incident_id" in which ? eq(outbox.incident_id, which.incident_id) : eq(deliveries.awaits_edit, true),
      ),
    )
    .orderBy(asc(deliveries.outbox_seq))
    .limit(limit);
  return rows.map(({ deliveries: delivery, outbox: notice }) => ({
    ...(notice as Notice & { seq: number; created_at: Date }),
    notifier,
    attempts: delivery.attempts,
    message_id: delivery.message_id ?? "",
  }));
}

/** Counts the notices that a notifier has delivered since a moment, up to `most`. */
export async function countDelivered(ctx: Ctx, notifier: string, since: Date, most: number): Promise<number> {
  const rows = await ctx.db
    .select({ seq: deliveries.outbox_seq })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.notifier, notifier),
        eq(deliveries.state, "delivered"),
        gt(deliveries.delivered_at, since),
        // A clock that was set back must not hold up what comes now.
        lte(deliveries.delivered_at, ctx.clock.now()),
      ),
    )
    .limit(most);
  return rows.length;
}

/** Puts off all that waits for a notifier until a moment, as the channel asks. */
export async function postponeDeliveries(ctx: Ctx, notifier: string, until: Date): Promise<void> {
  await ctx.db
    .update(deliveries)
    .set({ next_attempt_at: until })
    .where(
      and(
        eq(deliveries.notifier, notifier),
        eq(deliveries.state, "waiting"),
        lt(deliveries.next_attempt_at, until),
      ),
    );
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

/** Returns the state of each of these workflows that the engine knows; `unfinished`: queued, delayed or running. */
export async function statesOfWork(
  ctx: Ctx,
  ids: readonly string[],
): Promise<Map<string, "unfinished" | "over">> {
  const { rows } = await ctx.db.execute<{ id: string; unfinished: boolean }>(sql`
    select workflow_uuid as id, status in ('ENQUEUED', 'DELAYED', 'PENDING') as unfinished
      from dbos.workflow_status where workflow_uuid = any(${sql.param([...ids])}::text[])`);
  return new Map(rows.map(({ id, unfinished }) => [id, unfinished ? "unfinished" : "over"]));
}

type NewWork = { id: string; kind: string; argument: object /** Seconds. */; after: number };

/** Enqueues work with the workflow engine's SQL function, so that it commits or rolls back with our transaction. */
export async function insertWork(
  ctx: Ctx,
  work: readonly NewWork[],
  queue: { name: string; version: string; application: string },
): Promise<void> {
  const { name, version, application } = queue;
  // Not `ctx.clock`: the engine compares the delay with this machine's clock.
  const now = Date.now();
  const rows = work.map(({ after, ...row }) => ({
    ...row,
    not_before: after > 0 ? now + Math.ceil(after * 1000) : null,
  }));
  await ctx.db.execute(sql`
    select dbos.enqueue_workflow(
             workflow_name => kind, queue_name => ${name}, positional_args => array[argument],
             workflow_id => id, app_version => ${version}, application_name => ${application},
             queue_partition_key => kind, delay_until_epoch_ms => not_before)
      from json_to_recordset(${jsonRows(rows)}::json) as w(id text, kind text, argument json, not_before bigint)`);
}

/** Returns the condition for notices created before `before` that were routed and have no waiting delivery. */
function oldNotices(ctx: Ctx, before: Date) {
  const waiting = ctx.db
    .select({ seq: deliveries.outbox_seq })
    .from(deliveries)
    .where(and(eq(deliveries.outbox_seq, outbox.seq), eq(deliveries.state, "waiting")));
  return and(lt(outbox.created_at, before), isNotNull(outbox.routed_at), notExists(waiting));
}

/** Deletes old notices with their deliveries, oldest first, and returns how many notices. */
export async function forgetNotices(ctx: Ctx, { before, limit }: Forget): Promise<number> {
  return transaction(ctx, async (tx) => {
    const rows = await tx.db
      .select({ seq: outbox.seq })
      .from(outbox)
      .where(oldNotices(tx, before))
      .orderBy(asc(outbox.created_at))
      .limit(limit)
      .for("update", { skipLocked: true });
    const seqs = rows.map((row) => row.seq);
    if (seqs.length === 0) return 0;
    await tx.db.delete(deliveries).where(oneOf(deliveries.outbox_seq, seqs));
    await tx.db.delete(outbox).where(oneOf(outbox.seq, seqs));
    return seqs.length;
  });
}

export async function countOldNotices(ctx: Ctx, before: Date): Promise<number> {
  return countRows(ctx, { table: outbox, where: oldNotices(ctx, before) });
}

/** Counts the workflows created before `before` whose status is one of `ended`. */
export async function countOldWork(ctx: Ctx, ended: readonly string[], before: Date): Promise<number> {
  const { rows } = await ctx.db.execute<{ n: number }>(sql`
    select count(*)::int as n from dbos.workflow_status
     where status = any(${sql.param([...ended])}::text[]) and created_at < ${before.getTime()}`);
  return rows[0]?.n ?? 0;
}
