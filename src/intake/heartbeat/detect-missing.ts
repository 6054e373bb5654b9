import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { journalOwn, type OwnAlert } from "../journal/journal-own.ts";
import { expectedBeat } from "./record.ts";
import {
  changeState,
  deleteHeartbeat,
  overdueHeartbeats,
  returnedHeartbeats,
  unexpectedHeartbeats,
  watchHeartbeats,
} from "./store.ts";
import type { Heartbeat, HeartbeatTerms } from "./types.ts";

function missingAlert({
  heartbeat_id,
  name,
  source,
  severity,
  last_heard_at,
  interval,
}: Heartbeat): OwnAlert {
  const heard = last_heard_at === null ? "never" : `last at ${last_heard_at.toISOString()}`;
  // The convergence key is built from this: two silent heartbeats are two incidents.
  const component = source === null ? name : `${name} from ${source}`;
  return {
    fingerprint: heartbeat_id,
    labels: { alertname: "NoAlertsReceived", severity, component, heartbeat_id },
    annotations: {
      summary: `No heartbeat of ${component}`,
      description: `${component} was received ${heard}; it is missing after ${Math.round(interval)} s. Alerts of that sender may not arrive.`,
    },
  };
}

/** Ends the alert about a missing heartbeat, if one was raised. */
export async function resolveMissingAlert(tx: Ctx, one: Heartbeat): Promise<void> {
  if (one.missing_since === null) return;
  await journalOwn(tx, { ...missingAlert(one), status: "resolved", starts_at: one.missing_since });
}

/**
 * Raises an alert for every heartbeat that has been silent for too long, and ends it for those that are heard again or no longer
 * expected. Silence counts only from `since`, when AWOOOI began to listen.
 */
export async function detectMissingHeartbeats(ctx: Ctx, terms: HeartbeatTerms, since: Date): Promise<void> {
  authorise(ctx.actor, "detect missing heartbeats", { people: "none", system: ["sweep"] });
  const expected = terms.expected.map(expectedBeat);
  if (expected.length > 0) await watchHeartbeats(ctx, expected);
  for (const one of await unexpectedHeartbeats(
    ctx,
    expected.map((beat) => beat.heartbeat_id),
  )) {
    await transaction(ctx, async (tx) => {
      const gone = await deleteHeartbeat(tx, one.heartbeat_id);
      if (gone !== undefined) await resolveMissingAlert(tx, gone);
    });
  }
  for (const one of await overdueHeartbeats(ctx, since)) {
    await transaction(ctx, async (tx) => {
      const missing_since = tx.clock.now();
      if (await changeState(tx, one, { state: "missing", missing_since }))
        await journalOwn(tx, { ...missingAlert(one), starts_at: missing_since });
    });
  }
  for (const one of await returnedHeartbeats(ctx)) {
    await transaction(ctx, async (tx) => {
      if (await changeState(tx, one, { state: "alive", missing_since: null }))
        await resolveMissingAlert(tx, one);
    });
  }
}
