import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { withdrawDecisions } from "../decision/index.ts";
import { note } from "../incident/index.ts";
import { lockWaiting, signaturesOf, supersedeAll } from "./store.ts";

const admit = (ctx: Ctx) =>
  authorise(ctx.actor, "withdraw approvals", { people: "responder", system: ["intake"] });

/**
 * Returns those of these incidents that have a plan with a signature, which stays with its signers. Locks the approvals:
 * until the open transaction ends no person can sign a pending one.
 */
export async function incidentsWithSignature(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Set<string>> {
  admit(ctx);
  if (incident_ids.length === 0) return new Set();
  const waiting = await lockWaiting(ctx, incident_ids);
  const signatures = await signaturesOf(
    ctx,
    waiting.map((one) => one.approval_id),
  );
  const signed = waiting.filter(
    ({ status, approval_id }) => status === "approved" || (signatures.get(approval_id) ?? []).length > 0,
  );
  return new Set(signed.map((one) => one.incident_id));
}

/** Supersedes the decisions of these incidents and their approvals that are not approved; none of them has a signature. */
export async function supersedeForMerge(ctx: Ctx, reasons: ReadonlyMap<string, string>): Promise<void> {
  admit(ctx);
  const ids = [...reasons.keys()];
  if (ids.length === 0) return;
  const open = (await lockWaiting(ctx, ids)).filter((one) => one.status !== "approved");
  await supersedeAll(
    ctx,
    open.map((one) => one.approval_id),
  );
  await withdrawDecisions(ctx, ids);
  for (const { approval_id, incident_id } of open) {
    const reason = reasons.get(incident_id) ?? "";
    const text = `No longer needed: ${reason}`;
    note(ctx, { incident_id, kind: "approval", text, data: { approval_id } });
    record(ctx, { action: "approval.superseded", subject: approval_id, data: { incident_id, reason } });
  }
}
