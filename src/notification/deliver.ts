import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { isUnavailable } from "../db/failure.ts";
import { transaction } from "../db/transaction.ts";
import { getExecution, type StopTerms } from "../execution/index.ts";
import { note } from "../incident/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { redactText, redactTexts } from "../lib/redact.ts";
import {
  type Delivery,
  deliveredMessages,
  dueDeliveries,
  routeNotices,
  updateDelivery,
} from "../outbox/index.ts";
import { silencesOfIncidents } from "../silence/index.ts";
import { assign } from "./assign.ts";
import { cardOf } from "./card.ts";
import type { Router } from "./route.ts";
import type { Card, Notifier, SendResult } from "./types.ts";

const BATCH = 100;
const SEND_TIMEOUT_MS = 10_000;
const LONGEST_WAIT = 300;
// With waits of 2, 4, … 300 s this is about a day; a notice that a channel does not take by then is marked failed.
const ATTEMPTS = 300;

/** Options of a delivery besides its notifiers. */
export type DeliveryTerms = {
  stopping?: AbortSignal;
  /** Without a router, every notifier gets every notice. */
  route?: Router | null;
  /** With it, the card of a plan says what would stop a change now. */
  gateway?: StopTerms;
};

type Terms = { stopping: AbortSignal; gateway: StopTerms | undefined };

const timed = (stopping: AbortSignal) => AbortSignal.any([stopping, AbortSignal.timeout(SEND_TIMEOUT_MS)]);

// Notices after which a plan that people were asked to sign can no longer be signed.
const DECIDES = new Set<Delivery["topic"]>([
  "approval.rejected",
  "approval.expired",
  "execution.started",
  "execution.finished",
]);
// A request to sign is one message for each channel, or two where the server stopped before it stored the first.
const REQUESTS = 5;

/** Returns the card that the message of a request to sign shows now; null while the plan can be signed, or without one. */
async function decidedCard(
  ctx: Ctx,
  message: Delivery,
  gateway: StopTerms | undefined,
): Promise<Card | null> {
  try {
    const card = await cardOf(ctx, message, gateway);
    return card?.approval === null ? redactTexts(card) : null;
  } catch (error) {
    if (isUnavailable(error)) throw error;
    ctx.log.warn({ incident_id: message.incident_id, error: messageOf(error) }, "a card cannot be made");
    return null;
  }
}

/**
 * Edits the messages that asked people to sign the plan of a notice, once it can no longer be signed. Returns a failure
 * that is to be retried; null: none. A message that cannot be edited, such as a deleted one, is left as it is.
 */
async function takeBack(
  ctx: Ctx,
  notifier: Notifier,
  { incident_id, topic, payload }: Delivery,
  { stopping, gateway }: Terms,
): Promise<SendResult | null> {
  if (notifier.edit === undefined || incident_id === null || !DECIDES.has(topic)) return null;
  const { approval_id, execution_id } = payload;
  const asks_for =
    typeof approval_id === "string"
      ? approval_id
      : (await getExecution(ctx, String(execution_id))).approval_id;
  const about = { notifier: notifier.id, incident_id, asks_for, limit: REQUESTS };
  for (const message of await deliveredMessages(ctx, about)) {
    const card = await decidedCard(ctx, message, gateway);
    if (card === null) continue;
    const edited = await notifier.edit(message.message_id, card, timed(stopping));
    if (edited.ok) continue;
    if (edited.retryable) return edited;
    const error = redactText(edited.error);
    ctx.log.warn({ notifier: notifier.id, incident_id, error }, "a message could not be edited");
  }
  return null;
}

/** Returns the notifier's first message about the incident, which later ones reply to; null without one. */
async function threadOf(
  ctx: Ctx,
  { threads, id: notifier }: Notifier,
  { incident_id }: Delivery,
): Promise<string | null> {
  if (!threads || incident_id === null) return null;
  const [first] = await deliveredMessages(ctx, { notifier, incident_id, limit: 1 });
  return first?.message_id ?? null;
}

async function send(
  ctx: Ctx,
  notifier: Notifier | undefined,
  delivery: Delivery,
  { stopping, gateway }: Terms,
): Promise<SendResult> {
  if (notifier === undefined)
    return { ok: false, error: "this notifier is no longer configured", retryable: false };
  let card: Card | null;
  try {
    card = await cardOf(ctx, delivery, gateway);
  } catch (error) {
    // A database outage concerns every notice; a card that cannot be built is retried later, like a failed send.
    if (isUnavailable(error)) throw error;
    return { ok: false, error: messageOf(error), retryable: true };
  }
  if (card === null) return { ok: false, error: "its subject no longer exists", retryable: false };
  try {
    const failed = await takeBack(ctx, notifier, delivery, { stopping, gateway });
    if (failed !== null) return failed;
    const reply_to = await threadOf(ctx, notifier, delivery);
    return await notifier.send(redactTexts(card), { signal: timed(stopping), reply_to });
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return { ok: false, error: messageOf(error), retryable: true };
  }
}

/** Marks a delivery as silenced and returns true while all alerts of its incident are silenced. */
async function keptSilent(ctx: Ctx, delivery: Delivery): Promise<boolean> {
  const { incident_id, attempts } = delivery;
  if (incident_id === null) return false;
  const by = (await silencesOfIncidents(ctx, [incident_id])).get(incident_id);
  if (by === undefined) return false;
  const error = clip(`silenced by ${by.map((one) => one.id).join(", ")}`, 1_000);
  await updateDelivery(ctx, delivery, { state: "silenced", attempts, error });
  return true;
}

const ASKS = new Set<Delivery["topic"]>(["approval.pending"]);
const TELLS_RESULT = new Set<Delivery["topic"]>(["execution.finished"]);

/** Logs in the operation log when people were asked to sign and when they were told of the result. */
function noteDelivery(ctx: Ctx, { incident_id, topic, notifier, seq }: Delivery): void {
  if (incident_id === null || !(ASKS.has(topic) || TELLS_RESULT.has(topic))) return;
  const name = notifier.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
  note(ctx, {
    incident_id,
    kind: "notification",
    text: ASKS.has(topic) ? `Asked for signatures by ${notifier}` : `Sent the result by ${notifier}`,
    data: { notifier, notice: seq, topic },
    event: ASKS.has(topic) ? `${name}_SENT` : `${name}_RESULT_SENT`,
  });
}

const LONGEST_MESSAGE_ID = 200;
// The longest wait that a channel may ask for.
const LONGEST_ASKED_WAIT = 3_600;

/** Returns the seconds until the next attempt: 2, 4, … 300, or as many as the channel asks for if that is more. */
function waitAfter(attempts: number, asked = 0): number {
  const own = Math.min(2 ** Math.min(attempts, 9), LONGEST_WAIT);
  return Math.max(own, Math.min(Number.isFinite(asked) ? asked : 0, LONGEST_ASKED_WAIT));
}

/** The moments at which a notifier was given its latest messages, in milliseconds. */
const sentAt = new WeakMap<Notifier, number[]>();

/** Returns whether a notifier takes another message now, by its rate, and counts that message. */
function takesMore(notifier: Notifier, now: Date): boolean {
  const { rate } = notifier;
  if (rate === undefined) return true;
  const from = now.getTime() - rate.seconds * 1000;
  const recent = (sentAt.get(notifier) ?? []).filter((at) => at > from);
  const takes = recent.length < rate.messages;
  sentAt.set(notifier, takes ? [...recent, now.getTime()] : recent);
  return takes;
}

/** Stores the result of a delivery; returns whether it will be retried. */
async function storeResult(ctx: Ctx, delivery: Delivery, result: SendResult): Promise<boolean> {
  const attempts = delivery.attempts + 1;
  const now = ctx.clock.now();
  if (result.ok) {
    await transaction(ctx, async (tx) => {
      const { message_id = null } = result;
      await updateDelivery(tx, delivery, {
        state: "delivered",
        attempts,
        delivered_at: now,
        error: null,
        message_id: message_id === null ? null : clip(message_id, LONGEST_MESSAGE_ID, ""),
      });
      noteDelivery(tx, delivery);
    });
    return false;
  }
  const error = clip(redactText(result.error), 1_000);
  const again = result.retryable && attempts < ATTEMPTS;
  const { notifier, incident_id, topic } = delivery;
  ctx.log.warn({ notifier, incident_id, topic, attempts, error, again }, "a notice could not be delivered");
  await updateDelivery(ctx, delivery, {
    state: again ? "waiting" : "failed",
    attempts,
    error,
    next_attempt_at: addSeconds(now, waitAfter(attempts, result.retry_after)),
  });
  return again;
}

/**
 * Sends the deliveries that are due, in order per notifier and concurrently across notifiers, and stores the results;
 * returns how many were due. `route` decides which notifier gets which notice. A retried notice may arrive after later
 * ones. A notice may arrive twice, under the same id, when the server stops between sending it and storing the result.
 */
export async function deliverNotices(
  ctx: Ctx,
  notifiers: readonly Notifier[],
  terms: DeliveryTerms = {},
): Promise<number> {
  authorise(ctx.actor, "deliver notices", { people: "none", system: ["pipeline"] });
  const { stopping = new AbortController().signal, route = null, gateway } = terms;
  const ids = notifiers.map((notifier) => notifier.id);
  await transaction(ctx, (tx) =>
    routeNotices(
      tx,
      async (notices) => (route === null ? () => ids : assign(tx, notices, ids, route)),
      BATCH,
    ),
  );
  const due = await dueDeliveries(ctx, BATCH);
  const byNotifier = Map.groupBy(due, (delivery) => delivery.notifier);
  const deliver = async (id: string, list: readonly Delivery[]) => {
    const notifier = notifiers.find((one) => one.id === id);
    for (const delivery of list) {
      if (stopping.aborted) return;
      if (await keptSilent(ctx, delivery)) continue;
      if (notifier !== undefined && !takesMore(notifier, ctx.clock.now())) return;
      // After one failure that is to be retried, this notifier's other deliveries wait for the next call.
      if (await storeResult(ctx, delivery, await send(ctx, notifier, delivery, { stopping, gateway })))
        return;
    }
  };
  await Promise.all([...byNotifier].map(([id, list]) => deliver(id, list)));
  return due.length;
}
