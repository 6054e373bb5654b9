import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { hashOfTexts } from "../../lib/canonical-json.ts";
import { renameLessons } from "../linking/store.ts";
import { writeResolutionKeys } from "../resolution/store.ts";
import { activeFingerprints, incidentsOfOldKeys, writeIncidentKeys } from "./store.ts";

const PAGE = 500;

/** A rewritten incident, with its new anomaly key. */
export type RewrittenKeys = { incident_id: string; anomaly_key: string };

/**
 * Rewrites the keys of incidents to the current version, one page per transaction. They take the keys of the alert that
 * opened them, which must be rewritten first; an incident without alerts keeps its fingerprint, also as its anomaly key.
 * Lessons follow. `each` is called in every transaction. Returns the number of incidents.
 */
export async function rewriteIncidentKeys(
  ctx: Ctx,
  each: (ctx: Ctx, rewritten: readonly RewrittenKeys[]) => Promise<void>,
): Promise<number> {
  authorise(ctx.actor, "rewrite keys", { people: "none", system: ["bootstrap"] });
  let count = 0;
  for (let after = ""; ; ) {
    const rows = await incidentsOfOldKeys(ctx, after, PAGE);
    if (rows.length === 0) return count;
    await transaction(ctx, async (tx) => {
      const taken = await activeFingerprints(
        tx,
        rows.flatMap((row) => row.alert_fingerprint ?? []),
      );
      const written = rows.map((row) => {
        const { incident_id, is_active } = row;
        const wanted = row.alert_fingerprint ?? row.fingerprint;
        // Two active incidents now share a fingerprint: new alerts count on the first, and both end as before.
        const isTaken = is_active && taken.has(wanted);
        if (is_active) taken.add(wanted);
        const fingerprint = isTaken ? hashOfTexts([wanted, incident_id]).slice(0, 32) : wanted;
        return {
          incident_id,
          fingerprint,
          anomaly_key: row.alert_anomaly_key ?? row.fingerprint,
          before: row.fingerprint,
        };
      });
      await writeIncidentKeys(tx, written);
      await writeResolutionKeys(tx, written);
      await renameLessons(tx, new Map(written.map((row) => [row.before, row.fingerprint])));
      await each(tx, written);
    });
    count += rows.length;
    after = rows.at(-1)?.incident_id ?? after;
  }
}
