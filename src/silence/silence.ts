import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Matcher } from "../contract/matcher.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { isActive, lockIncident, note } from "../incident/index.ts";
import { alertsOf, silenceFiringOf } from "../intake/index.ts";
import { actorLabel } from "../lib/actor.ts";
import { addSeconds } from "../lib/clock.ts";
import { AwoooiError } from "../lib/error.ts";
import { prefixedId } from "../lib/id.ts";
import { matchersText } from "../lib/matchers.ts";
import { checkMatchers } from "./check-matchers.ts";
import { identityOf } from "./identity.ts";
import { countChange, insertSilence } from "./store.ts";
import type { SilenceRow } from "./types.ts";

export type SilenceInput = {
  matchers: readonly Matcher[];
  /** Default and earliest: now. */
  starts_at?: Date | undefined;
  ends_at?: Date | undefined;
  /** Seconds from the start; used where `ends_at` is missing. */
  duration?: number | undefined;
  comment: string;
  incident_id?: string;
};

/** Throws `invalid` for an end that is not after the start, or not in the future. */
export function checkTimes({ starts_at, ends_at }: { starts_at: Date; ends_at: Date }, now: Date): void {
  const wrong = (message: string) =>
    new AwoooiError("invalid", `The silence's times are not valid: ${message}.`, {
      errors: [{ path: "ends_at", message }],
    });
  if (ends_at <= starts_at) throw wrong("it must end after it starts");
  if (ends_at <= now) throw wrong("its end is in the past");
}

/**
 * Creates a silence: from its start to its end, alerts that fit all matchers are recorded and nothing else. Throws `invalid` for
 * matchers that fit every alert, and for times that have passed.
 */
export async function silence(ctx: Ctx, input: SilenceInput): Promise<SilenceRow> {
  authorise(ctx.actor, "silence alerts", { people: "responder" });
  checkMatchers(input.matchers);
  return transaction(ctx, async (tx) => {
    const now = tx.clock.now();
    const given = input.starts_at ?? now;
    const starts_at = new Date(Math.max(given.getTime(), now.getTime()));
    const ends_at = input.ends_at ?? addSeconds(starts_at, input.duration ?? 0);
    checkTimes({ starts_at: given, ends_at }, now);
    const row: SilenceRow = {
      silence_id: prefixedId("SIL", tx.random),
      matchers: [...input.matchers],
      starts_at,
      ends_at,
      created_by: actorLabel(tx.actor),
      created_by_kind: tx.actor.kind,
      comment: input.comment,
      incident_id: input.incident_id ?? null,
      ended_by: null,
      ended_by_kind: null,
      created_at: now,
      updated_at: now,
    };
    await insertSilence(tx, row);
    await countChange(tx);
    const { silence_id, comment } = row;
    const data = { matchers: matchersText(row.matchers), starts_at, ends_at, comment };
    record(tx, { action: "silence.created", subject: silence_id, data });
    return row;
  });
}

/**
 * Silences an incident's alerts for `duration` seconds, by the labels that all of them share. The incident stays open and
 * visible; no notices about it are sent while its alerts are silent. Throws `not_found`, and `conflict` when it is over or its
 * alerts share no label that identifies them.
 */
export async function silenceIncident(
  ctx: Ctx,
  input: { incident_id: string; duration: number; comment: string },
): Promise<SilenceRow> {
  authorise(ctx.actor, "silence incidents", { people: "responder" });
  const { incident_id, duration, comment } = input;
  return transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined) throw new AwoooiError("not_found", `There is no incident ${incident_id}.`);
    if (!isActive(incident))
      throw new AwoooiError("conflict", `${incident_id} is ${incident.status}: it cannot be silenced.`);
    const matchers = identityOf((await alertsOf(tx, incident_id, { limit: 1_000 })).items);
    if (matchers.length === 0)
      throw new AwoooiError("conflict", `The alerts of ${incident_id} share no label to silence them by.`);
    const row = await silence(tx, { matchers, duration, comment, incident_id });
    await silenceFiringOf(tx, incident_id, { by: "silence", id: row.silence_id });
    note(tx, {
      incident_id,
      kind: "status",
      text: `Silenced by ${actorLabel(tx.actor)} until ${row.ends_at.toISOString()}: ${comment}`,
      data: { silence_id: row.silence_id, matchers: matchersText(matchers) },
    });
    return row;
  });
}
