/** One entry of the ledger. `hash` covers all its other fields; `prev_hash` is the hash of the entry before it. */
export type AuditEntry = {
  seq: number;
  at: Date;
  actor_kind: string;
  actor: string;
  action: string;
  subject: string;
  data: Record<string, unknown>;
  prev_hash: string;
  hash: string;
};

export type AuditReport = {
  entries: number;
  /** `seq` of the first entry that does not fit the chain; null when all do. */
  broken_at: number | null;
  reason: string | null;
  /** `seq` at which to continue when only a range was checked; null at the end of the ledger. */
  next: number | null;
  /** Hash of the last entry checked. A copy kept elsewhere also reveals that later entries were removed. */
  head: string;
};
