import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { hashOfTexts } from "../../lib/canonical-json.ts";
import { renameLessons } from "../linking/store.ts";
import { writeResolutionKeys } from "../resolution/store.ts";
import { activeFingerprints, incidentsOfOldKeys, writeIncidentKeys } from "./store.ts";

const PAGE = 500;

/** What was rewritten: the incidents' ids, and what they are learnt by now. */
export type RewrittenKeys = { incident_id: string; anomaly_key: string };

/**
 * Brings the keys of incidents up to the present version, a page in each transaction: those of the alert that opened
 * them, whose own must be rewritten before; without one left their key stays, and is what is learnt by. Lessons
 * follow. `each` is called in every transaction. Returns how many incidents it has rewritten.
 */
export async function rewriteIncidentKeys(
  ctx: Ctx,
  each: (ctx: Ctx, rewritten: readonly RewrittenKeys[]) => Promise<void>,
): Promise<number> {
  authorise(ctx.actor, "rewrite keys", { people: "nobody", system: ["bootstrap"] });
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
        // Two that are open are one trouble by now: new alerts count on the first, both end as they would have.
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
