import type { Ctx } from "../db/ctx.ts";
import { entryHash, GENESIS } from "./hash.ts";
import { entriesAfter } from "./store.ts";
import type { AuditReport } from "./types.ts";

const PAGE = 1_000;

/** A range of the chain: at most `most` entries from `seq` `from` on; `head` is the hash of the entry before `from`. */
export type AuditRange = { from?: number; head?: string | undefined; most?: number };

/** Returns the expected `prev_hash` of entry `from`: `head` if given, else the stored hash of the entry before it. */
async function hashBefore(ctx: Ctx, from: number, head: string | undefined): Promise<string | undefined> {
  if (from === 1) return GENESIS;
  if (head !== undefined) return head;
  const [before] = await entriesAfter(ctx, from - 2, 1);
  return before?.seq === from - 1 ? before.hash : undefined;
}

/**
 * Recomputes the hashes of the chain or of a range of it, and reports the first entry that does not fit. The caller
 * must authorise: this room cannot import `access`.
 */
export async function verifyChain(
  ctx: Ctx,
  { from = 1, head: given, most = Number.POSITIVE_INFINITY }: AuditRange = {},
): Promise<AuditReport> {
  let entries = from - 1;
  const before = await hashBefore(ctx, from, given);
  let head = before ?? GENESIS;
  if (before === undefined)
    return { entries, broken_at: from, reason: `entry ${from - 1} is missing`, head, next: null };
  const last = entries + most;
  for (;;) {
    const page = await entriesAfter(ctx, entries, Math.min(PAGE, last - entries));
    for (const entry of page) {
      const broken = (reason: string) => ({ entries, broken_at: entry.seq, reason, head, next: null });
      if (entry.seq !== entries + 1) return broken(`entry ${entries + 1} is missing`);
      if (entry.prev_hash !== head) return broken("it does not continue the entry before it");
      if (entryHash(entry) !== entry.hash) return broken("its content was changed");
      entries = entry.seq;
      head = entry.hash;
    }
    if (page.length < PAGE || entries >= last) {
      const [more] = entries >= last ? await entriesAfter(ctx, entries, 1) : [];
      return { entries, broken_at: null, reason: null, head, next: more === undefined ? null : entries + 1 };
    }
  }
}
