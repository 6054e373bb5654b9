/** One entry of the ledger; `hash` covers everything else in it, `prev_hash` the entry before. */
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
  /** The first entry that does not fit the chain, or null when all do. */
  broken_at: number | null;
  reason: string | null;
  /** Where to go on where only a part was looked at; null: this was the end. */
  next: number | null;
  /** Hash of the last entry: kept elsewhere, it also shows a ledger that was cut short. */
  head: string;
};
