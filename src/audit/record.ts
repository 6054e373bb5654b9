import type { Ctx } from "../db/ctx.ts";
import { afterCommit, defer } from "../db/transaction.ts";
import { actorLabel } from "../lib/actor.ts";
import { type LogFields, logAbout, logField } from "../lib/log.ts";
import { redact } from "../lib/redact.ts";
import { entryHash, GENESIS } from "./hash.ts";
import { insertEntries, lockHead } from "./store.ts";
import type { AuditEntry } from "./types.ts";

type Entry = { action: string; subject: string; data?: Record<string, unknown> };
type Draft = Omit<AuditEntry, "seq" | "prev_hash" | "hash">;

/**
 * Adds an entry to the ledger in the open transaction of `ctx`, so that it commits or rolls back with the
 * change. Entries get their `seq` and hash just before the commit. `data` must be JSON; credentials in it
 * are redacted.
 */
export function record(ctx: Ctx, entry: Entry): void {
  const draft: Draft = {
    at: ctx.clock.now(),
    actor_kind: ctx.actor.kind,
    actor: actorLabel(ctx.actor),
    action: entry.action,
    subject: entry.subject,
    data: JSON.parse(JSON.stringify(redact(entry.data ?? {}))) as Record<string, unknown>,
  };
  defer(ctx, "audit", draft, append);
  afterCommit(ctx, () => say(ctx, entry));
}

/** Returns the ids of the incident, approval and execution that the entry's subject and data name. */
const idsOf = ({ subject, data = {} }: Entry): LogFields =>
  Object.assign({}, ...[data.incident_id, data.approval_id, data.execution_id, subject].map(logField));

/** Logs the entry too, with its ids as fields; gateway calls at level debug. */
function say(ctx: Ctx, entry: Entry): void {
  const { action, subject } = entry;
  const level = action === "gateway.call" ? "debug" : "info";
  logAbout(idsOf(entry), () => ctx.log[level]({ action, subject, actor: actorLabel(ctx.actor) }, action));
}

async function append(ctx: Ctx, pending: readonly Draft[]): Promise<void> {
  const head = await lockHead(ctx);
  let seq = head?.seq ?? 0;
  let prev_hash = head?.hash ?? GENESIS;
  const entries = pending.map((draft) => {
    seq += 1;
    const body = { ...draft, seq, prev_hash };
    prev_hash = entryHash(body);
    return { ...body, hash: prev_hash };
  });
  await insertEntries(ctx, entries);
}
