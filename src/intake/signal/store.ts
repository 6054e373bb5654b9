import { sql } from "drizzle-orm";
import type { Severity } from "../../contract/common.ts";
import type { Ctx } from "../../db/ctx.ts";
import { jsonRows } from "../../db/json-rows.ts";
import { packBodies } from "../store.ts";
import type { Receipt } from "../types.ts";
import { signalIdentity } from "./identity.ts";

/** An instance of a signal: later signals of its fingerprint within the debounce window join it, unless it ended before them. */
export type SignalInstance = {
  fingerprint: string;
  instance_key: string;
  severity: Severity | null;
  starts_at: Date;
  ended_at: Date | null;
};

/** Returns the instances of signals of these fingerprints that were first received after `since`. */
export async function signalInstances(
  ctx: Ctx,
  fingerprints: readonly string[],
  since: Date,
): Promise<SignalInstance[]> {
  const { rows } = await ctx.db.execute<
    Omit<SignalInstance, "starts_at" | "ended_at"> & { starts_at: string; ended_at: string | null }
  >(sql`
    select a.fingerprint, a.instance_key, a.severity, a.starts_at,
           case when a.status = 'resolved' then coalesce(a.ends_at, a.last_received_at) end as ended_at
      from unnest(${sql.param([...fingerprints])}::text[], ${sql.param(fingerprints.map(signalIdentity))}::text[]) as s(fingerprint, identity)
      join alerts a on a.fingerprint = s.fingerprint and a.source_fingerprint = s.identity
     where a.first_received_at > ${since.toISOString()}::timestamptz
     order by a.starts_at, a.instance_key`);
  return rows.map((row) => ({
    ...row,
    starts_at: new Date(row.starts_at),
    ended_at: row.ended_at === null ? null : new Date(row.ended_at),
  }));
}

/** A receipt with a name in the signal stream. */
export type NamedReceipt = Omit<Receipt, "seq"> & { stream_id: string };

/** Journals the receipts whose names are not in the journal yet; returns these with their places in the journal. */
export async function insertEntries(ctx: Ctx, rows: readonly NamedReceipt[]): Promise<Receipt[]> {
  const { bodies, fields } = packBodies(rows);
  const written = await ctx.db.execute<{ seq: string; stream_id: string }>(sql`
    insert into receipts (source, sender, body, received_at, idempotency_key, stream_id)
    select source, sender, substring(${bodies}::bytea from start for size), received_at, idempotency_key, stream_id
      from json_to_recordset(${jsonRows(fields)}::json)
        as r(source text, sender text, start int, size int, received_at timestamptz, idempotency_key text, stream_id text)
    on conflict (stream_id) where stream_id is not null do nothing
    returning seq, stream_id`);
  const byName = new Map(rows.map((row) => [row.stream_id, row]));
  return written.rows.flatMap(({ seq, stream_id }) => {
    const row = byName.get(stream_id);
    return row === undefined ? [] : { ...row, seq: Number(seq) };
  });
}
