import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { lockFingerprints } from "../../incident/index.ts";
import {
  assignAlerts,
  beginHeld,
  classify,
  dueHeld,
  firingOfResolved,
  processedUntil,
  type StoredAlert,
  setSilencedBy,
} from "../../intake/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import { convergeAlerts } from "../intake/converge-alerts.ts";
import { evaluateSilences } from "../intake/evaluate-silences.ts";
import { logRisen, withIncidents } from "../intake/log-accepted.ts";
import type { PipelineDeps } from "../types.ts";

const PAGE = 500;
// Gives a receipt in processing time to reopen the incident itself.
const GRACE_SECONDS = 60;

type Row = Awaited<ReturnType<typeof beginHeld>>[number];

function asStored(deps: PipelineDeps, row: Row, is_new: boolean): StoredAlert {
  const { alert_name, labels, annotations } = row;
  const severity = labels.severity;
  const { heartbeat, progress } = classify(deps.classification, {
    alert_name,
    severity,
    labels,
    annotations,
  });
  return { ...row, status: "firing", start_known: true, of_call: false, heartbeat, progress, is_new };
}

/** Converges stored firing alerts into incidents. The caller holds the lock on their fingerprints. */
async function bring(ctx: Ctx, deps: PipelineDeps, alerts: readonly StoredAlert[]): Promise<void> {
  const { unsilenced, changed } = await evaluateSilences(
    ctx,
    deps,
    alerts.filter((alert) => !alert.heartbeat),
  );
  const trouble = unsilenced.filter((alert) => !alert.progress);
  const now = ctx.clock.now();
  const incidentOf = await convergeAlerts(ctx, deps, trouble);
  const risen = trouble.filter((alert) => alert.is_new);
  await logRisen(ctx, withIncidents(risen, incidentOf), now);
  await setSilencedBy(ctx, changed);
  await assignAlerts(
    ctx,
    [...incidentOf].map(([alert_id, incident_id]) => ({ alert_id, incident_id })),
  );
}

/**
 * Begins outages held for the maximum time without being taken back by their sender. Only time in which senders could
 * reach the server counts: after a break each sender gets its turn first.
 */
export async function beginHeldOutages(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("intake");
  const until = await processedUntil(ctx);
  const since = deps.intake_uptime.since(ctx.clock.now(), until);
  let found: number;
  do {
    const due = await dueHeld(ctx, { since, until, limit: PAGE });
    found = due.length;
    if (found === 0) return;
    await transaction(ctx, async (tx) => {
      await lockFingerprints(
        tx,
        due.map((one) => one.fingerprint),
      );
      const ids = due.map((one) => one.alert_id);
      const begun = await beginHeld(tx, ids, { since, until });
      await bring(
        tx,
        deps,
        begun.map((row) => asStored(deps, row, true)),
      );
    });
  } while (found === PAGE);
}

/**
 * Reopens incidents that were resolved because their alerts had ended, where an alert still fires according to its sender.
 */
export async function stillFiring(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("intake");
  const now = ctx.clock.now();
  const which = {
    resolved: addSeconds(now, -GRACE_SECONDS),
    receivedSince: addSeconds(now, -deps.windows.ttl),
    limit: PAGE,
  };
  const found = await firingOfResolved(ctx, which);
  if (found.length === 0) return;
  await transaction(ctx, async (tx) => {
    await lockFingerprints(
      tx,
      found.map((row) => row.fingerprint),
    );
    const ids = new Set(found.map((row) => row.alert_id));
    const rows = (await firingOfResolved(tx, which)).filter((row) => ids.has(row.alert_id));
    await bring(
      tx,
      deps,
      rows.map((row) => asStored(deps, row, false)),
    );
  });
}
