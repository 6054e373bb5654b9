import { transaction } from "../../db/transaction.ts";
import { lockFingerprints, note } from "../../incident/index.ts";
import { endLapsed, lapsedAlerts, processedUntil } from "../../intake/index.ts";
import type { PipelineDeps } from "../types.ts";
import { resolveQuiet } from "./resolve-quiet.ts";

const PAGE = 500;

/**
 * Ends alerts that a repeating sender has stopped sending. Only time in which senders could reach the server counts: after
 * a break each sender gets its turn first.
 */
export async function expireStaleAlerts(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("sweep");
  const understood_until = await processedUntil(ctx);
  const since = deps.intake_uptime.since(ctx.clock.now(), understood_until);
  let found: number;
  do {
    const lapsed = await lapsedAlerts(ctx, { since, until: understood_until, limit: PAGE });
    found = lapsed.length;
    if (found === 0) return;
    await transaction(ctx, async (tx) => {
      const fingerprints = lapsed.map((alert) => alert.fingerprint);
      await lockFingerprints(tx, fingerprints);
      const ids = lapsed.map((alert) => alert.alert_id);
      const ended = await endLapsed(tx, ids, { since, until: understood_until });
      for (const [incident_id, alerts] of Map.groupBy(ended, (alert) => alert.incident_id)) {
        if (incident_id === null) continue;
        const [{ alert_name = "" } = {}, ...others] = alerts;
        const more = others.length === 0 ? "" : ` and ${others.length} more`;
        const text = `${alert_name}${more}: no longer sent, so treated as resolved`;
        note(tx, { incident_id, kind: "alert", text });
      }
      await resolveQuiet(tx, deps, ended);
    });
  } while (found === PAGE);
}
