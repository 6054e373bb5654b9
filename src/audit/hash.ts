import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import type { AuditEntry } from "./types.ts";

/** `prev_hash` of the first entry. */
export const GENESIS = "0".repeat(64);

/** Returns the SHA-256 of the entry's canonical JSON, `prev_hash` included. */
export function entryHash(entry: Omit<AuditEntry, "hash">): string {
  const { seq, at, actor_kind, actor, action, subject, data, prev_hash } = entry;
  return sha256(
    canonicalJson({ seq, at: at.toISOString(), actor_kind, actor, action, subject, data, prev_hash }),
  );
}
