import { latestApprovals } from "../approval/index.ts";
import { type AlertResult, NOTHING_KNOWN, type WebhookAnswer } from "../contract/webhook.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { latestDecisions } from "../decision/index.ts";
import { incidentsInExecution } from "../execution/index.ts";
import {
  acknowledge,
  endByNotice,
  incidentsById,
  isActive,
  isReopenedByHand,
  lockFingerprints,
} from "../incident/index.ts";
import {
  alertIdentity,
  assignAlerts,
  callOf,
  debounce,
  finishReceipts,
  firingIncidents,
  formerKeys,
  type HeardAlert,
  type HeardOutage,
  hearHeartbeats,
  hearWave,
  incidentsOfFiring,
  insertOutages,
  type NormalisedAlert,
  normalise,
  placeOf,
  type Receipt,
  type SourceAlert,
  type StoredAlert,
  senderOf,
  signalIdentity,
  stillWaiting,
  waves,
  withoutFormer,
} from "../intake/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { redactText } from "../lib/redact.ts";
import { markAlerts } from "../silence/index.ts";
import { bringToIncidents } from "./bring-to-incidents.ts";
import { logCalls } from "./log-accepted.ts";
import { judge } from "./mute.ts";
import { tellProgress } from "./progress.ts";
import type { Journey, Received } from "./types.ts";

/** A receipt and its body as JSON; `unattended` when nobody waits to hear what came of it. */
export type Delivery = { receipt: Receipt; body: unknown; unattended?: boolean };

type Understood = Omit<Received, "alerts"> & {
  /** What comes soon again counts once. */
  debounced: boolean;
  alerts: HeardAlert[];
  /** Names of alerts of which the sender says that someone is on them. */
  acknowledged: readonly string[];
  truncated: number;
};

/** What is repeated, and does not say until when it holds, holds for as long as the installation says. */
function lasting(alert: SourceAlert, { received_at }: Receipt, journey: Journey): SourceAlert {
  if (alert.holds_until !== null) return alert;
  return { ...alert, holds_until: addSeconds(received_at, journey.resolve_timeout) };
}

/** Signals of one fingerprint are one alert, whatever else they say. */
function ofSignal({ adapter, organisation, fingerprint }: NormalisedAlert) {
  const source_fingerprint = signalIdentity(fingerprint);
  return { source_fingerprint, identity: alertIdentity(adapter, organisation, source_fingerprint) };
}

/** From a body to alerts in our own terms. Never throws: what cannot be understood is a dead letter. */
function understand(journey: Journey, { receipt, body }: Delivery): Understood {
  const { seq, source: id, sender, received_at } = receipt;
  const replayed = (receipt.replays ?? 0) > 0;
  const source = journey.sources.find((one) => one.id === id);
  const debounced = source?.debounced === true;
  const about = { seq, source: id, sender, bytes: receipt.body.length, replayed, debounced };
  const dead = (error: string) => ({
    ...about,
    alerts: [],
    acknowledged: [],
    error: clip(redactText(error), 2_000),
    truncated: 0,
  });
  // What the row says is not a source of ours, and must not become a name of one.
  if (source === undefined) return { ...dead(`there is no source ${id}`), source: "unknown" };
  try {
    const decoded = source.decode(body);
    if (!decoded.ok) return dead(decoded.reason);
    const call = source.counts_calls ? callOf(receipt) : undefined;
    const heard = { sender: senderOf(sender, decoded.external_url), received_at, replayed, times: 1 };
    const alerts = decoded.alerts.map((one, index): HeardAlert => {
      const source_alert = lasting(one, receipt, journey);
      const alert = normalise(source_alert, id, received_at, journey.classification, call);
      return {
        ...alert,
        ...(debounced ? ofSignal(alert) : {}),
        ...heard,
        place: placeOf(received_at, seq, index),
      };
    });
    const error = decoded.rejected.length > 0 ? clip(redactText(decoded.rejected.join("; ")), 2_000) : null;
    const acknowledged = (decoded.acknowledged ?? []).flatMap((key) => [
      alertIdentity(id, "", key),
      ...formerKeys(id, key),
    ]);
    return { ...about, alerts, acknowledged, error, truncated: decoded.truncated };
  } catch (error) {
    return dead(messageOf(error));
  }
}

/** What would come of a call, before it is written down. */
export function foresee(journey: Journey, call: Omit<Receipt, "seq">, json: unknown) {
  const { alerts, error } = understand(journey, { receipt: { ...call, seq: 0 }, body: json });
  return { dead: error !== null, fingerprints: firingIn(alerts) };
}

/** The fingerprints of what fires. */
export const firingIn = (alerts: Received["alerts"]): string[] =>
  alerts.filter(({ status }) => status === "firing").map(({ fingerprint }) => fingerprint);

export { waves };

/** Resolves the incidents of alerts that have ended, where no other fires. */
export async function resolveQuiet(
  ctx: Ctx,
  { windows: { flapping } }: Journey,
  stored: readonly { status: string; incident_id: string | null }[],
): Promise<void> {
  const ended = stored.filter((alert) => alert.status === "resolved" && alert.incident_id !== null);
  const ids = [...new Set(ended.flatMap((alert) => alert.incident_id ?? []))];
  const firing = await firingIncidents(ctx, ids);
  const incidents = await incidentsById(ctx, ids);
  // What acts on an incident also resolves it, when its verification says so.
  const acting = await incidentsInExecution(ctx, ids);
  for (const incident_id of ids.sort()) {
    const incident = incidents.get(incident_id);
    // A person found that it was not over: then no sender says that it is.
    const by_hand = incident !== undefined && isReopenedByHand(incident);
    if (!firing.has(incident_id) && !acting.has(incident_id) && !by_hand)
      await endByNotice(ctx, { incident_id, flapping });
  }
}

/** What was silent until now is new to its incident. */
const asHeardFirst = <T extends StoredAlert>(alert: T): T =>
  alert.incident_id === null && alert.silenced_by ? { ...alert, is_new: true } : alert;

/** Stores what was heard, new outages with the incident that they belong to. */
async function takeWave(ctx: Ctx, journey: Journey, wave: readonly HeardAlert[]): Promise<HeardOutage[]> {
  const { heard, fresh } = await hearWave(ctx, wave, journey.resolve_timeout);
  await hearHeartbeats(ctx, heard, journey.heartbeats, journey.listening.begun ?? ctx.clock.now());
  const news = heard.filter((alert) => alert.fires && !alert.heartbeat);
  const judgement = await judge(ctx, journey, news);
  for (const alert of judgement.heard) if (alert.progress && alert.is_new) tellProgress(ctx, alert);
  const trouble = judgement.heard.filter((alert) => !alert.progress);
  const incidentOf = await bringToIncidents(ctx, journey, trouble.map(asHeardFirst));
  const placed = heard.map((alert) => ({
    ...alert,
    silenced_by: judgement.by.get(alert.alert_id) ?? null,
    incident_id: incidentOf.get(alert.alert_id) ?? alert.incident_id,
  }));
  await insertOutages(
    ctx,
    placed.flatMap((alert) => {
      const more = fresh.get(alert.alert_id);
      return more === undefined ? [] : [{ ...alert, ...more }];
    }),
  );
  const stored = heard.filter((alert) => alert.is_stored);
  const moved = stored.flatMap(({ alert_id, incident_id: before }) => {
    const incident_id = incidentOf.get(alert_id);
    return incident_id === undefined || incident_id === before ? [] : [{ alert_id, incident_id }];
  });
  await assignAlerts(ctx, moved);
  const before = new Set(stored.map((alert) => alert.alert_id));
  await markAlerts(
    ctx,
    judgement.changed.filter(({ alert_id }) => before.has(alert_id)),
  );
  await resolveQuiet(ctx, journey, placed);
  return placed;
}

const HELD = "held: another sender said that it is over";

/** What is known of each alert's journey. The alert that opened an incident is the one that did not converge. */
async function answersFor(
  ctx: Ctx,
  alerts: readonly HeardOutage[],
  before: Date,
): Promise<Map<string, AlertResult>> {
  if (alerts.length === 0) return new Map();
  const ids = [...new Set(alerts.flatMap((alert) => alert.incident_id ?? []))];
  const incidents = await incidentsById(ctx, ids);
  const decisions = await latestDecisions(ctx, ids);
  const approvals = await latestApprovals(ctx, ids);
  const opened = new Set(ids.filter((id) => (incidents.get(id)?.created_at ?? before) >= before));
  const results = new Map<string, AlertResult>();
  for (const { incident_id, alert_id, instance_key, status, silenced_by, held } of alerts) {
    if (incident_id === null) {
      const message = held
        ? HELD
        : silenced_by
          ? `silenced by ${silenced_by.map((one) => one.id).join(", ")}`
          : "recorded";
      results.set(instance_key, { ...NOTHING_KNOWN, alert_id, message });
      continue;
    }
    const decision = decisions.get(incident_id);
    const latest = approvals.get(incident_id);
    const approval = latest?.status === "superseded" ? undefined : latest;
    const converged = !opened.delete(incident_id);
    const main = incidents.get(incident_id)?.merged_into ?? null;
    const said =
      main !== null
        ? `part of ${main}`
        : decision === undefined
          ? "recorded"
          : `${decision.proposal.action}: ${decision.policy.reason}`;
    results.set(instance_key, {
      success: true,
      message: status === "resolved" ? "resolved" : said,
      alert_id,
      approval_created: approval !== undefined && approval.created_at >= before && !converged,
      approval_id: approval?.approval_id ?? null,
      incident_id,
      risk_level: decision?.proposal.risk_level ?? null,
      suggested_action: decision?.proposal.action ?? null,
      hit_count: incidents.get(incident_id)?.hit_count ?? 0,
      converged,
    });
  }
  return results;
}

/** `told` holds the instances that an earlier call of the same transaction was told of: this one repeats them. */
function answerOf(one: Understood, results: Map<string, AlertResult>, told: Set<string>): WebhookAnswer {
  const entries = one.alerts.map(({ instance_key }) => {
    const result = results.get(instance_key) ?? NOTHING_KNOWN;
    return told.has(instance_key) ? { ...result, converged: true, approval_created: false } : result;
  });
  for (const alert of one.alerts) told.add(alert.instance_key);
  const firing = entries[one.alerts.findIndex((alert) => alert.status === "firing")] ?? entries[0];
  const note = one.error === null ? {} : { message: `kept as a dead letter: ${one.error}` };
  return { ...(firing ?? NOTHING_KNOWN), ...note, results: entries };
}

/** Acknowledges what senders say someone is on, in their name; of what is over there is nothing to say. */
async function acknowledgeFor(ctx: Ctx, understood: readonly Understood[]): Promise<void> {
  for (const { source, acknowledged } of understood) {
    if (acknowledged.length === 0) continue;
    const incidents = await incidentsById(ctx, await incidentsOfFiring(ctx, acknowledged));
    const sender: Ctx = { ...ctx, actor: { kind: "sender", name: source } };
    for (const incident of incidents.values())
      if (isActive(incident)) await acknowledge(sender, { incident_id: incident.incident_id });
  }
}

/** The same with each signal under the instance that it counts on. */
async function withSignalsPlaced(
  ctx: Ctx,
  understood: readonly Understood[],
  window: number,
): Promise<readonly Understood[]> {
  const signals = understood.flatMap((one) => (one.debounced ? one.alerts : []));
  if (signals.length === 0) return understood;
  const placed = await debounce(ctx, signals, window);
  return understood.map((one) =>
    one.debounced ? { ...one, alerts: placed.splice(0, one.alerts.length) } : one,
  );
}

/** Another took some of the receipts up meanwhile. */
class Overtaken extends Error {}

async function process(
  ctx: Ctx,
  journey: Journey,
  batch: readonly Understood[],
  waiting: ReadonlySet<number>,
): Promise<Map<number, WebhookAnswer>> {
  return transaction(ctx, async (tx) => {
    const now = tx.clock.now();
    await lockFingerprints(
      tx,
      batch.flatMap((one) => one.alerts.map((alert) => alert.fingerprint)),
    );
    const understood = await withSignalsPlaced(tx, batch, journey.debounce);
    const alerts = await withoutFormer(
      tx,
      understood.flatMap((one) => one.alerts),
    );
    const stored: HeardOutage[] = [];
    for (const wave of waves(alerts))
      for (const alert of await takeWave(tx, journey, wave)) stored.push(alert);
    await logCalls(tx, understood, stored, now);
    await acknowledgeFor(tx, understood);
    const finished = await finishReceipts(
      tx,
      understood.map(({ seq, alerts: { length }, error }) => ({ seq, alert_count: length, error })),
    );
    if (finished !== understood.length) throw new Overtaken();
    const asked = understood.filter((one) => waiting.has(one.seq));
    const keys = new Set(asked.flatMap((one) => one.alerts.map((alert) => alert.instance_key)));
    const results = await answersFor(
      tx,
      stored.filter((alert) => keys.has(alert.instance_key)),
      now,
    );
    const told = new Set<string>();
    return new Map(asked.map((one) => [one.seq, answerOf(one, results, told)]));
  });
}

/**
 * Understands receipts: alerts, incidents, decisions and approvals of them all, in one transaction with
 * the mark that they are understood. Receipts that are no longer waiting are passed over. Returns the
 * answers to the senders that wait for one, by place in the journal.
 */
export async function processReceipts(
  ctx: Ctx,
  journey: Journey,
  deliveries: readonly Delivery[],
): Promise<Map<number, WebhookAnswer>> {
  const understood = deliveries.map((delivery) => understand(journey, delivery));
  const waiting = new Set(deliveries.flatMap((one) => (one.unattended ? [] : one.receipt.seq)));
  for (let ours = understood; ; ) {
    try {
      const answers = await process(ctx, journey, ours, waiting);
      for (const one of ours) journey.onReceived(one);
      return answers;
    } catch (error) {
      if (!(error instanceof Overtaken)) throw error;
      const left = await stillWaiting(
        ctx,
        ours.map((one) => one.seq),
      );
      ours = ours.filter((one) => left.has(one.seq));
    }
  }
}
