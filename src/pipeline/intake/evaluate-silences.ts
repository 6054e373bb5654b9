import { isDeepStrictEqual } from "node:util";
import type { SilencedBy } from "../../contract/silence.ts";
import type { Ctx } from "../../db/ctx.ts";
import { afterCommit, transaction } from "../../db/transaction.ts";
import { incidentsById, isActive, lockFingerprints } from "../../incident/index.ts";
import { assignAlerts, classify, type StoredAlert, setSilencedBy } from "../../intake/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import {
  type Firing,
  type FiringKey,
  type FiringLabels,
  firingAlerts,
  firingPage,
  forgetInhibitors,
} from "../../silence/index.ts";
import type { PipelineDeps } from "../types.ts";
import { convergeAlerts } from "./converge-alerts.ts";
import { logRisen, withIncidents } from "./log-accepted.ts";

const PAGE = 500;

type EvaluableAlert = FiringLabels & {
  incident_id: string | null;
  silenced_by?: SilencedBy[] | null | undefined;
};
type SilenceEvaluation<T> = {
  /** What silences each alert now, by alert id; an alert that nothing silences is not in it. */
  by: ReadonlyMap<string, SilencedBy[]>;
  /** Alerts that converge into an incident: those not silenced, and silenced ones whose incident is active. */
  unsilenced: T[];
  /** Alerts whose `silenced_by` changed. */
  changed: { alert_id: string; silenced_by: SilencedBy[] | null }[];
};

/** Determines which of these firing alerts are silenced, and reports the newly silenced ones to `onSilenced` after the commit. */
export async function evaluateSilences<T extends EvaluableAlert>(
  ctx: Ctx,
  deps: PipelineDeps,
  firing: readonly T[],
): Promise<SilenceEvaluation<T>> {
  const by = await deps.muting.silencedBy(ctx, firing);
  const onIncidents = firing.flatMap((one) => (by.has(one.alert_id) ? (one.incident_id ?? []) : []));
  const incidents = await incidentsById(ctx, [...new Set(onIncidents)]);
  const unsilenced = firing.filter(({ alert_id, incident_id }) => {
    if (!by.has(alert_id)) return true;
    const incident = incidents.get(incident_id ?? "");
    return incident !== undefined && isActive(incident);
  });
  const changed = firing.flatMap(({ alert_id, silenced_by: before = null }) => {
    const silenced_by = by.get(alert_id) ?? null;
    return isDeepStrictEqual(before, silenced_by) ? [] : [{ alert_id, silenced_by, before }];
  });
  const fresh = changed.flatMap((one) => (one.before === null ? (one.silenced_by?.[0]?.by ?? []) : []));
  if (fresh.length > 0) afterCommit(ctx, () => deps.onSilenced(fresh));
  return { by, unsilenced, changed: changed.map(({ alert_id, silenced_by }) => ({ alert_id, silenced_by })) };
}

type Row = Awaited<ReturnType<typeof firingAlerts>>[number];

/** Turns a stored alert whose silence ended into one to converge. Fields that only the delivery knew get neutral values. */
const comingUp = (row: Row): StoredAlert => ({
  ...row,
  status: "firing",
  start_known: true,
  of_call: false,
  heartbeat: false,
  progress: false,
  is_new: row.incident_id === null,
});

/** Whether an alert only reports pipeline progress: it is not announced when its silence ends. */
const isProgress = ({ classification }: PipelineDeps, { alert_name, labels }: Row) =>
  classify(classification, { alert_name, labels }).progress;

async function reevaluatePage(ctx: Ctx, deps: PipelineDeps, page: readonly FiringKey[]) {
  await transaction(ctx, async (tx) => {
    await lockFingerprints(
      tx,
      page.map((one) => one.fingerprint),
    );
    const rows = await firingAlerts(
      tx,
      page.map((one) => one.alert_id),
    );
    const { by, changed } = await evaluateSilences(tx, deps, rows);
    const waiting = rows.filter(
      (row) => row.silenced_by !== null && !by.has(row.alert_id) && !isProgress(deps, row),
    );
    const now = tx.clock.now();
    const risen = waiting.map(comingUp);
    const incidentOf = await convergeAlerts(tx, deps, risen);
    await logRisen(
      tx,
      withIncidents(
        risen.filter((alert) => alert.is_new),
        incidentOf,
      ),
      now,
    );
    await setSilencedBy(tx, changed);
    await assignAlerts(
      tx,
      waiting.flatMap(({ alert_id, incident_id: before }) => {
        const incident_id = incidentOf.get(alert_id);
        return incident_id === undefined || incident_id === before ? [] : [{ alert_id, incident_id }];
      }),
    );
  });
}

/** The silences in force at the last evaluation of all alerts, for each configuration. */
const lastSituation = new WeakMap<PipelineDeps["muting"], string>();

/**
 * Evaluates all firing alerts again when a silence or window has begun or ended since the last run. Otherwise evaluates
 * those that nothing in force silences, or only another alert. An alert that still fires and is no longer silenced
 * converges as if it had just arrived.
 */
export async function reevaluateSilences(deps: PipelineDeps): Promise<void> {
  const ctx = deps.as("intake");
  const inForce = await deps.muting.inForce(ctx);
  const situation = inForce.join(" ");
  const same = lastSituation.get(deps.muting) === situation;
  // Lapsed alerts are evaluated even when nothing changed: a silence may have begun and ended since the last run.
  const parts: readonly Firing[] = same ? [{ lapsed: inForce }] : ["silenced", "of incidents"];
  for (const which of parts) await reevaluateAll(ctx, deps, which);
  lastSituation.set(deps.muting, situation);
  await forgetInhibitors(ctx);
}

async function reevaluateAll(ctx: Ctx, deps: PipelineDeps, which: Firing): Promise<void> {
  // An incident whose alerts were not received within `ttl` would be over as well.
  const receivedSince = addSeconds(ctx.clock.now(), -deps.windows.ttl);
  let page: FiringKey[] = [];
  do {
    page = await firingPage(ctx, which, { receivedSince, after: page.at(-1), limit: PAGE });
    if (page.length > 0) await reevaluatePage(ctx, deps, page);
  } while (page.length === PAGE);
}
