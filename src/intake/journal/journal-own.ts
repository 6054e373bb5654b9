import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { decodeAlertmanager } from "../normalise/alertmanager-shape.ts";
import { decodeInSteps } from "../normalise/decode-steps.ts";
import type { Source } from "../source.ts";
import { insertReceipts } from "../store.ts";

/** An alert raised by AWOOOI itself. Without `starts_at` it begins now; `fingerprint` is needed for one that will be ended. */
export type OwnAlert = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  status?: "firing" | "resolved";
  starts_at?: Date;
  fingerprint?: string;
};

/**
 * The source of AWOOOI's own alerts, in Alertmanager's form. No call can reach it: alerts are identified by source and
 * fingerprint, and a sender outside must not begin or end one of these.
 */
export const ownSource: Source = {
  id: "awoooi",
  sender: null,
  decode: decodeInSteps((body) => decodeAlertmanager(body, "AWOOOI")),
};

/** Journals an alert raised by AWOOOI itself, in the open transaction. The intake worker finds it on its next poll. */
export async function journalOwn(ctx: Ctx, own: OwnAlert): Promise<void> {
  // A responder who forgets a heartbeat ends its alert.
  authorise(ctx.actor, "journal alerts of our own", { people: "responder", system: ["intake", "sweep"] });
  const received_at = ctx.clock.now();
  const { status = "firing", starts_at = received_at, ...rest } = own;
  const endsAt = status === "resolved" ? { endsAt: received_at.toISOString() } : {};
  const alert = { ...rest, status, startsAt: starts_at.toISOString(), ...endsAt };
  const body = Buffer.from(JSON.stringify({ version: "4", status, alerts: [alert] }));
  await insertReceipts(ctx, [{ source: ownSource.id, sender: "awoooi", body, received_at }]);
}
