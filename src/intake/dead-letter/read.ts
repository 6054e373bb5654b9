import { authorise, hasRole } from "../../access/index.ts";
import type { DeadLetter, DeadLetterQuery, DeadLetterWithBody } from "../../contract/dead-letter.ts";
import type { Ctx } from "../../db/ctx.ts";
import { pageOf } from "../../db/page.ts";
import { AwoooiError } from "../../lib/error.ts";
import { redactBody, redactText } from "../../lib/redact.ts";
import { type DeadLetterRow, deadLetterBody, deadLetterPage, findDeadLetter } from "./store.ts";

const STATES = { dead: "dead", received: "replaying", processed: "replayed" } as const;

/** Returns a row in the form in which it crosses the wire. */
export function presentDeadLetter(row: DeadLetterRow): DeadLetter {
  const { seq, state, error, alert_count, received_at, processed_at, ...rest } = row;
  return {
    ...rest,
    dead_letter_id: String(seq),
    state: STATES[state],
    // The error may quote the body, which not everyone may see.
    error: error === null ? null : redactText(error),
    alert_count: alert_count ?? 0,
    received_at: received_at.toISOString(),
    processed_at: processed_at?.toISOString() ?? null,
  };
}

/** Returns the place in the journal for an id; 0, which no receipt has, for any other text. */
export const seqOf = (id: string) => (/^\d{1,15}$/.test(id) ? Number(id) : 0);

export async function requireDeadLetter(ctx: Ctx, id: string): Promise<DeadLetterRow> {
  const row = await findDeadLetter(ctx, seqOf(id));
  if (row === undefined) throw new AwoooiError("not_found", `There is no dead letter ${id}.`);
  return row;
}

/** Lists dead letters, newest first, without their bodies. */
export async function listDeadLetters(
  ctx: Ctx,
  query: DeadLetterQuery,
): Promise<{ items: DeadLetter[]; next_cursor: string | null }> {
  authorise(ctx.actor, "list dead letters", { people: "viewer" });
  const { rows, next_cursor } = pageOf(await deadLetterPage(ctx, query), query.limit, (row) => ({
    at: row.received_at,
    id: String(row.seq),
  }));
  return { items: rows.map(presentDeadLetter), next_cursor };
}

/** Returns a dead letter, also one replayed. Only responders see its body: redaction may miss secrets without a known form. */
export async function getDeadLetter(ctx: Ctx, id: string): Promise<DeadLetterWithBody> {
  authorise(ctx.actor, "read dead letters", { people: "viewer" });
  const row = await requireDeadLetter(ctx, id);
  const maySee = ctx.actor.kind === "person" && hasRole(ctx.actor.role, "responder");
  const body = maySee ? await deadLetterBody(ctx, row.seq) : undefined;
  return { ...presentDeadLetter(row), body: body === undefined ? null : redactBody(body.toString("utf8")) };
}
