import { latestApprovals } from "../../approval/index.ts";
import { type AlertResult, NOTHING_KNOWN, type WebhookAnswer } from "../../contract/webhook.ts";
import type { Ctx } from "../../db/ctx.ts";
import { runAndRollBack, transaction } from "../../db/transaction.ts";
import { type DecisionRow, latestDecisions } from "../../decision/index.ts";
import {
  acknowledge,
  countEnds,
  type IncidentRow,
  incidentsById,
  isActive,
  lockFingerprints,
} from "../../incident/index.ts";
import {
  type AlertNotice,
  assignAlerts,
  boundStatements,
  debounce,
  finishReceipts,
  incidentsOfFiring,
  insertOutages,
  normalise,
  noticeBatches,
  noticePlace,
  type OutageNotice,
  recordHeartbeats,
  recordOutages,
  type StoredAlert,
  senderOf,
  setSilencedBy,
  unprocessedReceipts,
  withoutFormer,
} from "../../intake/index.ts";
import { messageOf } from "../../lib/error.ts";
import { runInSlices } from "../../lib/slices.ts";
import { resolveQuiet } from "../sweep/resolve-quiet.ts";
import type { PipelineDeps } from "../types.ts";
import { convergeAlerts } from "./converge-alerts.ts";
import { type Delivery, decodeReceipt, type Understood } from "./decode-receipt.ts";
import { endOpenCalls, withoutCrowded } from "./end-open-calls.ts";
import { evaluateSilences } from "./evaluate-silences.ts";
import { logCalls } from "./log-accepted.ts";
import { notifyProgress } from "./progress.ts";
import { groupsOf, PartSize, partsOf, type ReceiptPart } from "./receipt-parts.ts";

export { type Delivery, firingIn, previewReceipt } from "./decode-receipt.ts";
export { noticeBatches };

/** Marks an alert that was silenced until now as new, since its incident has not counted it. */
const asNew = <T extends StoredAlert>(alert: T): T =>
  alert.incident_id === null && alert.silenced_by ? { ...alert, is_new: true } : alert;

/** Stores a batch of notices: converges them into incidents, inserts new outages and resolves incidents that have gone quiet. */
async function processBatch(
  ctx: Ctx,
  deps: PipelineDeps,
  batch: readonly AlertNotice[],
): Promise<OutageNotice[]> {
  const { notices, fresh } = await recordOutages(ctx, batch, deps.resolve_timeout);
  await recordHeartbeats(ctx, notices, deps.heartbeats, deps.intake_uptime.begun ?? ctx.clock.now());
  const news = notices.filter((alert) => alert.fires && !alert.heartbeat);
  const judgement = await evaluateSilences(ctx, deps, news);
  for (const alert of judgement.unsilenced) if (alert.progress && alert.is_new) notifyProgress(ctx, alert);
  const trouble = judgement.unsilenced.filter((alert) => !alert.progress);
  const incidentOf = await convergeAlerts(ctx, deps, trouble.map(asNew));
  const assigned = notices.map((alert) => ({
    ...alert,
    silenced_by: judgement.by.get(alert.alert_id) ?? null,
    incident_id: incidentOf.get(alert.alert_id) ?? alert.incident_id,
  }));
  await insertOutages(
    ctx,
    assigned.flatMap((alert) => {
      const more = fresh.get(alert.alert_id);
      return more === undefined ? [] : [{ ...alert, ...more }];
    }),
  );
  const stored = notices.filter((alert) => alert.is_stored);
  const moved = stored.flatMap(({ alert_id, incident_id: before }) => {
    const incident_id = incidentOf.get(alert_id);
    return incident_id === undefined || incident_id === before ? [] : [{ alert_id, incident_id }];
  });
  await assignAlerts(ctx, moved);
  const before = new Set(stored.map((alert) => alert.alert_id));
  await setSilencedBy(
    ctx,
    judgement.changed.filter(({ alert_id }) => before.has(alert_id)),
  );
  await countFolded(ctx, deps, assigned);
  await resolveQuiet(ctx, deps, assigned);
  return assigned;
}

/** Counts outages that began and ended within one batch as ends of their incidents, which flap detection uses. */
async function countFolded(
  ctx: Ctx,
  { windows: { flapping } }: PipelineDeps,
  assigned: readonly OutageNotice[],
): Promise<void> {
  const ends = new Map<string, number>();
  for (const { incident_id, is_new, same_as, folded = 0 } of assigned)
    if (is_new && !same_as && folded > 0 && incident_id !== null)
      ends.set(incident_id, (ends.get(incident_id) ?? 0) + folded);
  for (const incident_id of [...ends.keys()].sort())
    await countEnds(ctx, { incident_id, ends: ends.get(incident_id) ?? 0, flapping });
}

const HELD = "held: another sender reported it resolved";

/** Returns the message for the sender about the incident that its alert fires in. */
function saidOf(incident: IncidentRow | undefined, decision: DecisionRow | undefined): string {
  if (incident !== undefined && incident.merged_into !== null) return `part of ${incident.merged_into}`;
  // The sender never ended this alert, so it is not a new outage.
  if (incident !== undefined && !isActive(incident))
    return `its incident is ${incident.status} and this alert has not ended since: it is reopened if the alert is still sent after the cool-down`;
  if (decision === undefined) return "recorded";
  return `${decision.proposal.action}: ${decision.policy.reason}`;
}

/**
 * Returns the result for each alert by its instance key. The first alert of an incident that was opened here is not
 * `converged`.
 */
async function answersFor(
  ctx: Ctx,
  alerts: readonly OutageNotice[],
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
    const incident = incidents.get(incident_id);
    results.set(instance_key, {
      success: true,
      message: status === "resolved" ? "resolved" : saidOf(incident, decision),
      alert_id,
      approval_created: approval !== undefined && approval.created_at >= before && !converged,
      approval_id: approval?.approval_id ?? null,
      incident_id,
      risk_level: decision?.proposal.risk_level ?? null,
      suggested_action: decision?.proposal.action ?? null,
      hit_count: incident?.hit_count ?? 0,
      converged,
    });
  }
  return results;
}

/**
 * Builds the answer to a call. `told` holds the instances that an earlier call of the same transaction reported: here they
 * are repetitions.
 */
function answerOf(one: Understood, results: Map<string, AlertResult>, told: Set<string>): WebhookAnswer {
  const entries = one.alerts.map(({ instance_key }) => {
    const result = results.get(instance_key) ?? NOTHING_KNOWN;
    return told.has(instance_key) ? { ...result, converged: true, approval_created: false } : result;
  });
  for (const alert of one.alerts) told.add(alert.instance_key);
  const firing = entries[one.alerts.findIndex((alert) => alert.status === "firing")] ?? entries[0];
  const note = one.error === null ? {} : { message: `kept as a dead letter: ${one.error}` };
  const truncated = one.truncated ? { truncated: one.error } : {};
  return { ...(firing ?? NOTHING_KNOWN), ...note, ...truncated, results: entries };
}

/** Acknowledges incidents that senders report as acknowledged, in the sender's name; skips those that are over. */
async function acknowledgeFor(ctx: Ctx, understood: readonly Understood[]): Promise<void> {
  for (const { source, acknowledged } of understood) {
    if (acknowledged.length === 0) continue;
    const incidents = await incidentsById(ctx, await incidentsOfFiring(ctx, acknowledged));
    const sender: Ctx = { ...ctx, actor: { kind: "sender", name: source } };
    for (const incident of incidents.values())
      if (isActive(incident)) await acknowledge(sender, { incident_id: incident.incident_id });
  }
}

/** Returns the receipts with each signal assigned to the instance that it counts on. */
async function withSignalsPlaced(
  ctx: Ctx,
  understood: readonly Understood[],
  window: number,
): Promise<readonly Understood[]> {
  const signals = understood.flatMap((one) => (one.debounced ? one.alerts : []));
  if (signals.length === 0) return understood;
  const assigned = await debounce(ctx, signals, window);
  return understood.map((one) =>
    one.debounced ? { ...one, alerts: assigned.splice(0, one.alerts.length) } : one,
  );
}

/** Thrown when another process has taken up some of the receipts meanwhile. */
class Overtaken extends Error {}

type Terms = {
  /** Statement timeout in milliseconds; null: that of the connection. */
  statement: number | null;
  size: PartSize;
  /** Receives the `seq` of receipts that end too many calls: they are left out, and get a turn of their own. */
  later?: Set<number> | undefined;
};
type Answers = Map<string, AlertResult>;

/** Processes a part in one transaction, and with the last part marks its receipts as processed. */
async function process(
  ctx: Ctx,
  deps: PipelineDeps,
  { receipts, last }: ReceiptPart,
  waiting: ReadonlySet<number>,
  { statement }: Terms,
): Promise<Answers> {
  return transaction(ctx, async (tx) => {
    const now = tx.clock.now();
    if (statement !== null) await boundStatements(tx, statement);
    await lockFingerprints(
      tx,
      receipts.flatMap((one) => one.alerts.map((alert) => alert.fingerprint)),
    );
    const understood = await withSignalsPlaced(tx, receipts, deps.debounce);
    const alerts = await withoutFormer(
      tx,
      understood.flatMap((one) => one.alerts),
    );
    const stored: OutageNotice[] = [];
    for (const batch of noticeBatches(alerts))
      for (const alert of await processBatch(tx, deps, batch)) stored.push(alert);
    await logCalls(tx, understood, stored, now);
    await acknowledgeFor(tx, understood);
    if (!(await finishPart(tx, receipts, last))) throw new Overtaken();
    const asked = understood.filter((one) => waiting.has(one.seq));
    const keys = new Set(asked.flatMap((one) => one.alerts.map((alert) => alert.instance_key)));
    return answersFor(
      tx,
      stored.filter((alert) => keys.has(alert.instance_key)),
      now,
    );
  });
}

/** Marks receipts as processed where this is their last part. Returns false when another process has done so. */
async function finishPart(ctx: Ctx, receipts: ReceiptPart["receipts"], last: boolean): Promise<boolean> {
  const seqs = receipts.map((one) => one.seq);
  if (!last) return (await unprocessedReceipts(ctx, seqs)).size === seqs.length;
  const finished = await finishReceipts(
    ctx,
    receipts.map(({ seq, alert_count, error }) => ({ seq, alert_count, error })),
  );
  return finished === seqs.length;
}

/** Processes the parts of some receipts in order, skipping receipts that another process takes up meanwhile. */
async function* takeParts(
  ctx: Ctx,
  deps: PipelineDeps,
  receipts: readonly Understood[],
  parts: Iterable<ReceiptPart>,
  waiting: ReadonlySet<number>,
  terms: Terms,
): AsyncGenerator<void, Map<number, WebhookAnswer>> {
  const results: Answers = new Map();
  try {
    for (const part of parts) {
      const begun = performance.now();
      for (const [key, result] of await process(ctx, deps, part, waiting, terms)) results.set(key, result);
      terms.size.took(part.weight, performance.now() - begun);
      if (!part.last) yield;
    }
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
    const seqs = receipts.map((one) => one.seq);
    const left = await unprocessedReceipts(ctx, seqs);
    const ours = receipts.filter((one) => left.has(one.seq));
    return yield* takeParts(ctx, deps, ours, partsOf(ours, terms.size), waiting, terms);
  }
  for (const one of receipts) deps.onReceived(one);
  const told = new Set<string>();
  const asked = receipts.filter((one) => waiting.has(one.seq));
  return new Map(asked.map((one) => [one.seq, answerOf(one, results, told)]));
}

/** Yields after each transaction; returns the answers for senders that wait, by `seq` of the receipt. */
export type Processing = AsyncGenerator<void, Map<number, WebhookAnswer>>;

/**
 * Processes receipts into alerts, incidents, decisions and approvals, marking them as processed in the same transaction. A
 * receipt with more alerts than one transaction takes needs several, and the last one marks it. Receipts that are no
 * longer waiting are skipped. Bodies are requested one by one.
 */
export async function* receiptsInParts(
  ctx: Ctx,
  deps: PipelineDeps,
  deliveries: Iterable<Delivery>,
  { size = new PartSize(), statement = null, later }: Partial<Terms> = {},
): Processing {
  const waiting = new Set<number>();
  const all = await runInSlices(decodeReceipts(deps, deliveries, waiting));
  const understood = later === undefined ? all : await withoutCrowded(ctx, deps, all, later);
  const answers = new Map<number, WebhookAnswer>();
  const terms = { statement, size };
  for (const group of groupsOf(understood, size)) {
    if (later === undefined) yield* endOpenCalls(ctx, deps, group, statement);
    const parts = partsOf(group, size);
    for (const [seq, answer] of yield* takeParts(ctx, deps, group, parts, waiting, terms))
      answers.set(seq, answer);
    yield;
  }
  return answers;
}

function* decodeReceipts(
  deps: PipelineDeps,
  deliveries: Iterable<Delivery>,
  waiting: Set<number>,
): Generator<void, Understood[]> {
  const all: Understood[] = [];
  for (const delivery of deliveries) {
    if (!delivery.unattended) waiting.add(delivery.receipt.seq);
    all.push(yield* decodeReceipt(deps, delivery));
    yield;
  }
  return all;
}

/** Processes receipts to the end, without pauses, and returns their answers by `seq`. */
export async function processReceipts(
  ctx: Ctx,
  deps: PipelineDeps,
  deliveries: readonly Delivery[],
): Promise<Map<number, WebhookAnswer>> {
  const parts = receiptsInParts(ctx, deps, deliveries);
  for (;;) {
    const step = await parts.next();
    if (step.done) return step.value;
  }
}

/**
 * Returns whether a test alert of our own passes the whole intake now. If it does, a receipt that fails is itself at
 * fault. The transaction is rolled back.
 */
export async function isWell(ctx: Ctx, deps: PipelineDeps): Promise<boolean> {
  const source_alert = {
    ...{ status: "firing" as const, starts_at: null, ends_at: null, generator_url: null, annotations: {} },
    labels: { alertname: "AwoooiSelfCheck", deployment: "awoooi-self-check" },
    source_fingerprint: "awoooi-self-check",
  };
  const received_at = ctx.clock.now();
  const alert = normalise(source_alert, "awoooi", received_at, deps.classification);
  const notices = { sender: senderOf("awoooi", undefined), received_at, replayed: false, times: 1 };
  const quiet = { ...deps, onSilenced: () => {} };
  try {
    await runAndRollBack(ctx, async (tx) => {
      await processBatch(tx, quiet, [{ ...alert, ...notices, place: noticePlace(received_at, 0, 0) }]);
    });
    return true;
  } catch (error) {
    ctx.log.debug({ error: messageOf(error) }, "no alert can be processed now");
    return false;
  }
}
