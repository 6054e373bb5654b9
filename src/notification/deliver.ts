import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { isUnavailable } from "../db/failure.ts";
import { transaction } from "../db/transaction.ts";
import type { StopTerms } from "../execution/index.ts";
import { note } from "../incident/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { redactText, redactTexts } from "../lib/redact.ts";
import { type Delivery, dueDeliveries, routeNotices, updateDelivery } from "../outbox/index.ts";
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

async function send(
  ctx: Ctx,
  notifier: Notifier | undefined,
  delivery: Delivery,
  { stopping, gateway }: { stopping: AbortSignal; gateway: StopTerms | undefined },
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
  if (card === null) return { ok: false, error: "what it was about is gone", retryable: false };
  try {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(SEND_TIMEOUT_MS)]);
    return await notifier.send(redactTexts(card), signal);
  } catch (error) {
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
    text: ASKS.has(topic) ? `Asked through ${notifier}` : `Told the result through ${notifier}`,
    data: { notifier, notice: seq, topic },
    event: ASKS.has(topic) ? `${name}_SENT` : `${name}_RESULT_SENT`,
  });
}

/** Stores the result of a delivery; returns whether it will be retried. */
async function settle(ctx: Ctx, delivery: Delivery, result: SendResult): Promise<boolean> {
  const attempts = delivery.attempts + 1;
  const now = ctx.clock.now();
  if (result.ok) {
    await transaction(ctx, async (tx) => {
      await updateDelivery(tx, delivery, { state: "delivered", attempts, delivered_at: now, error: null });
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
    next_attempt_at: addSeconds(now, Math.min(2 ** Math.min(attempts, 9), LONGEST_WAIT)),
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
  authorise(ctx.actor, "deliver notices", { people: "nobody", system: ["pipeline"] });
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
      // After one failure that is to be retried, this notifier's other deliveries wait for the next call.
      if (await settle(ctx, delivery, await send(ctx, notifier, delivery, { stopping, gateway }))) return;
    }
  };
  await Promise.all([...byNotifier].map(([id, list]) => deliver(id, list)));
  return due.length;
}
