import type { Ctx } from "../db/ctx.ts";
import { entryHash, GENESIS } from "./hash.ts";
import { entriesAfter } from "./store.ts";
import type { AuditReport } from "./types.ts";

const PAGE = 1_000;

/** Recomputes the whole chain. Authorisation is the caller's: the access room lies above this one. */
export async function verifyChain(ctx: Ctx): Promise<AuditReport> {
  let entries = 0;
  let head = GENESIS;
  for (;;) {
    const page = await entriesAfter(ctx, entries, PAGE);
    for (const entry of page) {
      const broken = (reason: string) => ({ entries, broken_at: entry.seq, reason, head });
      if (entry.seq !== entries + 1) return broken(`entry ${entries + 1} is missing`);
      if (entry.prev_hash !== head) return broken("it does not continue the entry before it");
      if (entryHash(entry) !== entry.hash) return broken("its content is not what was written");
      entries = entry.seq;
      head = entry.hash;
    }
    if (page.length < PAGE) return { entries, broken_at: null, reason: null, head };
  }
}
