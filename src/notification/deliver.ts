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
// With waits of 2, 4, … 300 s this is about a day; a channel that is away for longer is shown as failed.
const ATTEMPTS = 300;

/** All but the notifiers that a delivery is made with. */
export type DeliveryTerms = {
  stopping?: AbortSignal;
  /** Without one all are told of everything. */
  route?: Router | null;
  /** What would stop a change now is said with a plan. */
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
    // Without the database nothing is known of any notice; one that cannot be shown keeps no other waiting.
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

/** Nobody is told of an incident while all its alerts are silent. True when this one is not sent for that. */
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

/** The operation log holds when people were asked, and when they were told what came of it. */
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

/** Writes down what came of a delivery; returns whether it is to be tried again. */
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
 * Sends what is due, in order for each notifier and side by side for all, and writes down what came of it;
 * returns how many were due. Who is told of what, `route` says. What
 * is tried again may arrive after later ones. A notice may arrive twice when we are cut off between the two;
 * its id stays the same.
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
      // One time-out is enough for now: the others are tried the next time.
      if (await settle(ctx, delivery, await send(ctx, notifier, delivery, { stopping, gateway }))) return;
    }
  };
  await Promise.all([...byNotifier].map(([id, list]) => deliver(id, list)));
  return due.length;
}
