import { type ApprovalRow, approvalsOf, supersedeApproval } from "../approval/index.ts";
import { type AlertResult, NOTHING_KNOWN, type WebhookAnswer } from "../contract/webhook.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { latestDecisions } from "../decision/index.ts";
import { executionsOfApprovals, incidentsInExecution } from "../execution/index.ts";
import { type Convergence, converge, incidentsById, resolve } from "../incident/index.ts";
import {
  claimReceipts,
  finishReceipts,
  firingIncidents,
  type NormalisedAlert,
  normalise,
  type Receipt,
  type StoredAlert,
  upsertAlerts,
} from "../intake/index.ts";
import { repairDidNotHold } from "../learning/index.ts";
import { messageOf } from "../lib/error.ts";
import { redactText } from "../lib/redact.ts";
import { putBeforePeople, severityWithout } from "./put-before-people.ts";
import type { Journey, Received } from "./types.ts";

/** A receipt and its body as JSON, which the caller has parsed already or parses now. */
export type Delivery = { receipt: Receipt; body: unknown };

type Understood = Omit<Received, "alerts"> & { seq: number; alerts: NormalisedAlert[]; truncated: number };

/** From a body to alerts in our own terms. Never throws: what cannot be understood is a dead letter. */
function understand(journey: Journey, { receipt, body }: Delivery): Understood {
  const { seq, source: id, received_at } = receipt;
  const source = journey.sources.find((one) => one.id === id);
  const dead = (error: string) => ({
    seq,
    source: id,
    alerts: [],
    error: redactText(error).slice(0, 2_000),
    truncated: 0,
  });
  // What the row says is not a source of ours, and must not become a name of one.
  if (source === undefined) return { ...dead(`there is no source ${id}`), source: "unknown" };
  try {
    const decoded = source.decode(body);
    if (!decoded.ok) return dead(decoded.reason);
    const alerts = decoded.alerts.map((alert) => normalise(alert, id, received_at, journey.classification));
    const error =
      decoded.rejected.length > 0 ? redactText(decoded.rejected.join("; ")).slice(0, 2_000) : null;
    return { seq, source: id, alerts, error, truncated: decoded.truncated };
  } catch (error) {
    return dead(messageOf(error));
  }
}

/**
 * Alerts in the order they came, cut so that no part holds an instance twice: a firing and a resolved
 * notice of one instance that came close together take effect one after the other.
 */
export function waves(alerts: readonly NormalisedAlert[]): NormalisedAlert[][] {
  const parts: NormalisedAlert[][] = [];
  const depth = new Map<string, number>();
  for (const alert of alerts) {
    const at = depth.get(alert.instance_key) ?? 0;
    depth.set(alert.instance_key, at + 1);
    const part = parts[at] ?? [];
    parts[at] = part;
    part.push(alert);
  }
  return parts;
}

/** The alerts of one body without repetitions of what was said of an instance just before. */
function withoutRepetitions(alerts: readonly NormalisedAlert[]): NormalisedAlert[] {
  const said = new Map<string, string>();
  return alerts.filter(({ instance_key, status }) => {
    const repeated = said.get(instance_key) === status;
    said.set(instance_key, status);
    return !repeated;
  });
}

async function resolveQuiet(ctx: Ctx, stored: readonly StoredAlert[]): Promise<void> {
  const ended = stored.filter((alert) => alert.status === "resolved" && alert.incident_id !== null);
  const ids = [...new Set(ended.flatMap((alert) => alert.incident_id ?? []))];
  const firing = await firingIncidents(ctx, ids);
  // What acts on an incident also resolves it, when its verification says so.
  const acting = await incidentsInExecution(ctx, ids);
  for (const incident_id of ids.sort()) {
    if (!firing.has(incident_id) && !acting.has(incident_id))
      await resolve(ctx, { incident_id, through: "notice" });
  }
}

async function takeWave(
  ctx: Ctx,
  journey: Journey,
  wave: readonly NormalisedAlert[],
): Promise<StoredAlert[]> {
  const stored = await upsertAlerts(ctx, wave, ctx.clock.now());
  const firing = stored.filter((alert) => alert.status === "firing" && !alert.heartbeat);
  const outcome = await converge(ctx, firing, {
    windows: journey.windows,
    known: journey.known,
    severityWithout: (alert) => severityWithout(journey, alert),
  });
  for (const { incident, kind, repair_failed, alerts } of outcome) {
    if (repair_failed) await repairDidNotHold(ctx, incident.incident_id);
    // What was asked before it was resolved may still be open: clearing it away is a workflow's.
    if (kind === "reopened") await supersedeApproval(ctx, incident.incident_id, "the trouble is back");
    if (kind !== "converged") {
      await putBeforePeople(ctx, journey, incident, [...new Set(alerts.map((alert) => alert.alert_name))]);
    }
  }
  await raise(ctx, journey, outcome);
  await resolveQuiet(ctx, stored);
  const incidentOf = new Map(
    outcome.flatMap(({ incident, alerts }) => alerts.map((alert) => [alert.alert_id, incident.incident_id])),
  );
  return stored.map((alert) => ({
    ...alert,
    incident_id: incidentOf.get(alert.alert_id) ?? alert.incident_id,
  }));
}

/** A higher severity decides again, unless a plan is before people or being carried out. */
async function raise(ctx: Ctx, journey: Journey, outcome: readonly Convergence[]): Promise<void> {
  const raised = outcome.filter((one) => one.raised);
  const ids = raised.map((one) => one.incident.incident_id);
  const approvals = await approvalsOf(ctx, ids);
  const acting = await incidentsInExecution(ctx, ids);
  const begun = await executionsOfApprovals(
    ctx,
    [...approvals.values()].flat().map((one) => one.approval_id),
  );
  const now = ctx.clock.now();
  const stands = ({ approval_id, status, authority_until }: ApprovalRow) =>
    status === "preparing" ||
    status === "pending" ||
    // Signed, and about to be carried out.
    (status === "approved" && !begun.has(approval_id) && authority_until !== null && authority_until > now);
  for (const { incident, alerts } of raised) {
    const open = approvals.get(incident.incident_id)?.some(stands);
    if (open || acting.has(incident.incident_id)) continue;
    await putBeforePeople(ctx, journey, incident, [...new Set(alerts.map((alert) => alert.alert_name))]);
  }
}

/** What is known of each alert's journey. The alert that opened an incident is the one that did not converge. */
async function answersFor(
  ctx: Ctx,
  alerts: readonly StoredAlert[],
  before: Date,
): Promise<Map<string, AlertResult>> {
  const ids = [...new Set(alerts.flatMap((alert) => alert.incident_id ?? []))];
  const incidents = await incidentsById(ctx, ids);
  const decisions = await latestDecisions(ctx, ids);
  const approvals = await approvalsOf(ctx, ids);
  const opened = new Set(ids.filter((id) => (incidents.get(id)?.created_at ?? before) >= before));
  const results = new Map<string, AlertResult>();
  for (const { incident_id, alert_id, instance_key, status } of alerts) {
    if (incident_id === null) {
      results.set(instance_key, { ...NOTHING_KNOWN, alert_id });
      continue;
    }
    const decision = decisions.get(incident_id);
    const approval = approvals.get(incident_id)?.find((one) => one.status !== "superseded");
    const converged = !opened.delete(incident_id);
    const said =
      decision === undefined ? "recorded" : `${decision.proposal.action}: ${decision.policy.reason}`;
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

function answerOf(one: Understood, results: Map<string, AlertResult>): WebhookAnswer {
  const entries = one.alerts.map((alert) => results.get(alert.instance_key) ?? NOTHING_KNOWN);
  const firing = entries[one.alerts.findIndex((alert) => alert.status === "firing")] ?? entries[0];
  const note = one.error === null ? {} : { message: `kept as a dead letter: ${one.error}` };
  return { ...(firing ?? NOTHING_KNOWN), ...note, results: entries };
}

/**
 * Understands receipts: alerts, incidents, decisions and approvals of them all, in one transaction with
 * the mark that they are understood. Receipts that are no longer waiting are passed over. Returns the
 * answer to each sender, by place in the journal.
 */
export async function processReceipts(
  ctx: Ctx,
  journey: Journey,
  deliveries: readonly Delivery[],
): Promise<Map<number, WebhookAnswer>> {
  const understood = deliveries.map((delivery) => understand(journey, delivery));
  const answers = await transaction(ctx, async (tx) => {
    const now = tx.clock.now();
    const waiting = await claimReceipts(
      tx,
      understood.map((one) => one.seq),
    );
    const ours = understood.filter((one) => waiting.has(one.seq));
    const stored: StoredAlert[] = [];
    for (const wave of waves(ours.flatMap((one) => withoutRepetitions(one.alerts))))
      stored.push(...(await takeWave(tx, journey, wave)));
    await finishReceipts(
      tx,
      ours.map(({ seq, alerts, error }) => ({ seq, alert_count: alerts.length, error })),
    );
    const results = await answersFor(tx, stored, now);
    return new Map(ours.map((one) => [one.seq, answerOf(one, results)]));
  });
  for (const one of understood) if (answers.has(one.seq)) journey.onReceived(one);
  return answers;
}
