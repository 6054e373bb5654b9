import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { decodeAlertmanager } from "./alertmanager-shape.ts";
import { inSteps } from "./decode-steps.ts";
import type { Source } from "./source.ts";
import { insertReceipts } from "./store.ts";

/** An alert of AWOOOI's own. Without `starts_at` it begins now; `fingerprint` is for one that is to end. */
export type OwnAlert = {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  status?: "firing" | "resolved";
  starts_at?: Date;
  fingerprint?: string;
};

/**
 * What AWOOOI raises itself, in the form of Alertmanager. A source that no call can name: an alert is named by its
 * source and its fingerprint, and nobody outside may begin or end one of these.
 */
export const ownSource: Source = {
  id: "awoooi",
  sender: null,
  decode: inSteps((body) => decodeAlertmanager(body, "AWOOOI")),
};

/** Journals an alert of AWOOOI's own, in the open transaction. The worker takes it up with its next look around. */
export async function journalOwn(ctx: Ctx, own: OwnAlert): Promise<void> {
  // People end what they no longer wait for.
  authorise(ctx.actor, "journal alerts of our own", { people: "responder", system: ["intake", "sweep"] });
  const received_at = ctx.clock.now();
  const { status = "firing", starts_at = received_at, ...rest } = own;
  const endsAt = status === "resolved" ? { endsAt: received_at.toISOString() } : {};
  const alert = { ...rest, status, startsAt: starts_at.toISOString(), ...endsAt };
  const body = Buffer.from(JSON.stringify({ version: "4", status, alerts: [alert] }));
  await insertReceipts(ctx, [{ source: ownSource.id, sender: "awoooi", body, received_at }]);
}
