import { authorise } from "../access/index.ts";
import { pendingApprovals } from "../approval/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { isUnavailable } from "../db/failure.ts";
import { transaction } from "../db/transaction.ts";
import type { StopTerms } from "../execution/index.ts";
import { note } from "../incident/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { redactText, redactTexts } from "../lib/redact.ts";
import {
  countDelivered,
  type DeliveredMessage,
  type Delivery,
  deliveredMessages,
  dueDeliveries,
  postponeDeliveries,
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

// Most requests to sign that one call looks at, and most messages that it edits.
const REQUESTS = 1_000;
const EDITS = 20;
/** Seconds until a channel whose edit failed is asked for the next one. */
const EDIT_WAIT = 60;
/** When that is, by notifier, and how often each message's edit failed. Lost with the process: an edit may be repeated. */
const editsWaitUntil = new Map<string, number>();
const failedEdits = new Map<string, number>();

const messageKey = ({ notifier, seq }: Delivery) => `${notifier} ${seq}`;

/** Returns the messages of a notifier that asked people to sign a plan which cannot be signed now; failed ones last. */
async function outdatedRequests(ctx: Ctx, notifier: string): Promise<DeliveredMessage[]> {
  const asked = await deliveredMessages(ctx, notifier, { awaits_edit: true }, REQUESTS);
  if (asked.length === 0) return [];
  const approvalOf = ({ payload }: Delivery) => String(payload.approval_id);
  const pending = await pendingApprovals(ctx, asked.map(approvalOf));
  const failures = (message: DeliveredMessage) => failedEdits.get(messageKey(message)) ?? 0;
  return asked
    .filter((message) => !pending.has(approvalOf(message)))
    .sort((one, other) => failures(one) - failures(other))
    .slice(0, EDITS);
}

/** Shows the present card in a message. Without a card there is nothing to show, which is a success. */
async function editMessage(
  ctx: Ctx,
  notifier: Notifier,
  message: DeliveredMessage,
  { stopping, gateway }: Terms,
): Promise<SendResult> {
  try {
    const card = await cardOf(ctx, message, gateway);
    const edited = card && (await notifier.edit?.(message.message_id, redactTexts(card), timed(stopping)));
    return edited ?? { ok: true };
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return { ok: false, error: messageOf(error), retryable: true };
  }
}

/**
 * Edits the messages that asked people to sign a plan which can no longer be signed, whatever became of it. A failure
 * delays no notice: it is tried again later, unless the channel says that it is final, such as for a deleted message.
 */
async function takeBackRequests(ctx: Ctx, notifier: Notifier, terms: Terms): Promise<void> {
  const { id } = notifier;
  const now = ctx.clock.now().getTime();
  const wait = (editsWaitUntil.get(id) ?? 0) - now;
  // A longer wait than any means that the clock was set back.
  if (notifier.edit === undefined || (wait > 0 && wait <= EDIT_WAIT * 1000)) return;
  for (const message of await outdatedRequests(ctx, id)) {
    if (terms.stopping.aborted) return;
    const edited = await editMessage(ctx, notifier, message, terms);
    const key = messageKey(message);
    if (edited.ok || !edited.retryable) {
      await updateDelivery(ctx, message, { awaits_edit: false });
      failedEdits.delete(key);
    }
    if (edited.ok) continue;
    const error = redactText(edited.error);
    ctx.log.warn({ notifier: id, incident_id: message.incident_id, error }, "a message could not be edited");
    if (!edited.retryable) continue;
    failedEdits.set(key, (failedEdits.get(key) ?? 0) + 1);
    editsWaitUntil.set(id, now + EDIT_WAIT * 1000);
    return;
  }
}

/** Returns the notifier's first message about the incident, which later ones reply to; null without one. */
async function threadOf(
  ctx: Ctx,
  { threads, id: notifier }: Notifier,
  { incident_id }: Delivery,
): Promise<string | null> {
  if (!threads || incident_id === null) return null;
  const [first] = await deliveredMessages(ctx, notifier, { incident_id }, 1);
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

/** Returns a message's id if it can be kept; null without one. A cut id would name another message. */
function keptMessageId(ctx: Ctx, notifier: string, given: unknown): string | null {
  if (given === undefined || given === null) return null;
  const id = String(given);
  if (id !== "" && id.length <= LONGEST_MESSAGE_ID && id.isWellFormed() && !id.includes("\0")) return id;
  ctx.log.warn({ notifier }, "the channel's id of a message cannot be kept: it is not edited or replied to");
  return null;
}

/** Returns the seconds that a channel asks to wait, within bounds. */
const askedWait = (asked = 0) =>
  Math.max(0, Math.min(Number.isFinite(asked) ? asked : 0, LONGEST_ASKED_WAIT));

/** Returns whether a notifier takes another message now, by its rate. */
async function takesMore(ctx: Ctx, { id, rate }: Notifier): Promise<boolean> {
  if (rate === undefined) return true;
  const since = addSeconds(ctx.clock.now(), -rate.seconds);
  return (await countDelivered(ctx, id, since, rate.messages)) < rate.messages;
}

/** Stores the result of a delivery; returns whether it will be retried. */
async function storeResult(ctx: Ctx, delivery: Delivery, result: SendResult): Promise<boolean> {
  const attempts = delivery.attempts + 1;
  const now = ctx.clock.now();
  if (result.ok) {
    await transaction(ctx, async (tx) => {
      const message_id = keptMessageId(tx, delivery.notifier, result.message_id);
      await updateDelivery(tx, delivery, {
        state: "delivered",
        attempts,
        delivered_at: now,
        error: null,
        message_id,
        awaits_edit: message_id !== null && ASKS.has(delivery.topic),
      });
      noteDelivery(tx, delivery);
    });
    return false;
  }
  const error = clip(redactText(result.error), 1_000);
  const again = result.retryable && attempts < ATTEMPTS;
  const asked = askedWait(result.retry_after);
  const { notifier, incident_id, topic } = delivery;
  ctx.log.warn({ notifier, incident_id, topic, attempts, error, again }, "a notice could not be delivered");
  await updateDelivery(ctx, delivery, {
    state: again ? "waiting" : "failed",
    attempts,
    error,
    next_attempt_at: addSeconds(now, Math.max(Math.min(2 ** Math.min(attempts, 9), LONGEST_WAIT), asked)),
  });
  if (again && asked > 0) await postponeDeliveries(ctx, notifier, addSeconds(now, asked));
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
      if (notifier !== undefined && !(await takesMore(ctx, notifier))) return;
      // After one failure that is to be retried, this notifier's other deliveries wait for the next call.
      if (await storeResult(ctx, delivery, await send(ctx, notifier, delivery, { stopping, gateway })))
        return;
    }
  };
  // Of one that fails the others' results are still stored.
  const ended = await Promise.allSettled([
    ...[...byNotifier].map(([id, list]) => deliver(id, list)),
    ...notifiers.map((one) => takeBackRequests(ctx, one, { stopping, gateway })),
  ]);
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return due.length;
}
