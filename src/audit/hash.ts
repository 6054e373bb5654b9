import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import type { AuditEntry } from "./types.ts";

/** What comes before the first entry. */
export const GENESIS = "0".repeat(64);

/** SHA-256 over the canonical JSON of the whole entry, the hash of the one before included. */
export function entryHash(entry: Omit<AuditEntry, "hash">): string {
  const { seq, at, actor_kind, actor, action, subject, data, prev_hash } = entry;
  return sha256(
    canonicalJson({ seq, at: at.toISOString(), actor_kind, actor, action, subject, data, prev_hash }),
  );
}
