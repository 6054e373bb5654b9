import type { Ctx } from "../db/ctx.ts";
import { defer } from "../db/transaction.ts";
import { actorLabel } from "../lib/actor.ts";
import { redact } from "../lib/redact.ts";
import { entryHash, GENESIS } from "./hash.ts";
import { insertEntries, lockHead } from "./store.ts";
import type { AuditEntry } from "./types.ts";

type Draft = Omit<AuditEntry, "seq" | "prev_hash" | "hash">;

/**
 * Adds an entry to the ledger, inside the open transaction of `ctx`: it is there exactly if the change
 * is. Entries get their place in the chain just before the commit. `data` is JSON; credentials in it
 * are redacted.
 */
export function record(
  ctx: Ctx,
  entry: { action: string; subject: string; data?: Record<string, unknown> },
): void {
  const draft: Draft = {
    at: ctx.clock.now(),
    actor_kind: ctx.actor.kind,
    actor: actorLabel(ctx.actor),
    action: entry.action,
    subject: entry.subject,
    data: JSON.parse(JSON.stringify(redact(entry.data ?? {}))) as Record<string, unknown>,
  };
  defer(ctx, "audit", draft, append);
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
