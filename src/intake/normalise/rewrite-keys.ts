import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { learntBeatId } from "../heartbeat/record.ts";
import { renameBeats } from "../heartbeat/store.ts";
import { alertsOfOldKeys, writeKeys } from "../store.ts";
import { rewrittenKeys } from "./keys.ts";

const PAGE = 1_000;

/**
 * Rewrites the keys of stored alerts to the present version, one transaction per page, and with them the ids of the heartbeats
 * learnt by their fingerprints. Returns how many alerts were rewritten.
 */
export async function rewriteAlertKeys(ctx: Ctx): Promise<number> {
  authorise(ctx.actor, "rewrite keys", { people: "none", system: ["bootstrap"] });
  let count = 0;
  for (let after = ""; ; ) {
    const rows = await alertsOfOldKeys(ctx, after, PAGE);
    if (rows.length === 0) return count;
    const written = rows.map((row) => ({ alert_id: row.alert_id, ...rewrittenKeys(row) }));
    const beats = new Map(
      rows.map((row, index) => [
        learntBeatId(row.source, row.fingerprint),
        learntBeatId(row.source, written[index]?.fingerprint ?? ""),
      ]),
    );
    await transaction(ctx, async (tx) => {
      await writeKeys(tx, written);
      await renameBeats(tx, beats);
    });
    count += rows.length;
    after = rows.at(-1)?.alert_id ?? after;
  }
}
