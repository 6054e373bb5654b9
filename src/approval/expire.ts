import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { readyDecision } from "../decision/index.ts";
import { note } from "../incident/index.ts";
import { notify } from "../outbox/index.ts";
import { lockApproval, lockOpenApproval, updateApproval } from "./store.ts";

/** Expires an approval whose time to be signed or to be carried out has passed; checks that again under its lock. */
export async function expireApproval(ctx: Ctx, approval_id: string): Promise<void> {
  authorise(ctx.actor, "expire approvals", { people: "none", system: ["sweep"] });
  await transaction(ctx, async (tx) => {
    const approval = await lockApproval(tx, approval_id);
    const now = tx.clock.now();
    const until = approval?.status === "pending" ? approval.expires_at : approval?.authority_until;
    if (approval === undefined || !until || until > now) return;
    if (approval.status !== "pending" && approval.status !== "approved") return;
    // It is being carried out: its execution decides the result.
    if (approval.begun_at !== null) return;
    const { incident_id, status } = approval;
    const reason =
      status === "pending" ? "it was not signed in time" : "it was signed but not carried out in time";
    await updateApproval(tx, approval_id, { status: "expired", decided_at: now });
    note(tx, { incident_id, kind: "approval", text: `Expired: ${reason}`, data: { approval_id } });
    record(tx, { action: "approval.expired", subject: approval_id, data: { incident_id, reason } });
    notify(tx, { topic: "approval.expired", incident_id, payload: { approval_id, reason } });
  });
}

/** Supersedes the open approval of an incident, unless `keep`, called under its lock, returns true. */
export async function supersedeApproval(
  ctx: Ctx,
  incident_id: string,
  reason: string,
  keep: (ctx: Ctx) => Promise<boolean> = async () => false,
): Promise<void> {
  authorise(ctx.actor, "supersede approvals", { people: "none", system: ["intake", "pipeline", "sweep"] });
  await transaction(ctx, async (tx) => {
    const approval = await lockOpenApproval(tx, incident_id);
    if (approval === undefined || (await keep(tx))) return;
    const { approval_id, decision_token } = approval;
    await updateApproval(tx, approval_id, { status: "superseded", decided_at: tx.clock.now() });
    await readyDecision(tx, decision_token);
    note(tx, {
      incident_id,
      kind: "approval",
      text: `No longer needed: ${reason}`,
      data: { approval_id },
    });
    record(tx, { action: "approval.superseded", subject: approval_id, data: { incident_id, reason } });
  });
}
