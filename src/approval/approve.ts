import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { isActive, lockIncident, note } from "../incident/index.ts";
import type { Actor } from "../lib/actor.ts";
import { addSeconds } from "../lib/clock.ts";
import { AwoooiError } from "../lib/error.ts";
import { enqueue } from "../outbox/index.ts";
import { countSigners, signerRole } from "./quorum.ts";
import { validateSignatures, validSignatures } from "./signature-validity.ts";
import { insertSignature, lockApproval, renewSignature, updateApproval } from "./store.ts";
import type { ApprovalRow, ApprovalTerms, Signature } from "./types.ts";

export type ApproveInput = { approval_id: string; plan_hash: string; comment?: string | undefined };

type Person = Extract<Actor, { kind: "person" }>;

/** Throws `not_ready`, `expired` or `already_decided` unless the approval is pending. */
export function assertPending(approval: ApprovalRow, now: Date): void {
  const { approval_id, status, expires_at } = approval;
  if (status === "preparing") {
    throw new AwoooiError("not_ready", `${approval_id} is still being prepared: try again in a moment.`);
  }
  if (status === "expired" || (status === "pending" && expires_at !== null && expires_at <= now)) {
    throw new AwoooiError(
      "expired",
      `${approval_id} has expired: it was not signed, or not carried out, in time.`,
    );
  }
  if (status !== "pending") {
    throw new AwoooiError("already_decided", `${approval_id} is already ${status}.`);
  }
}

function mayCount(person: Person, approval: ApprovalRow): void {
  const { risk_level } = approval.plan;
  authorise(person, `sign plans of ${risk_level} risk`, { people: signerRole(risk_level) });
  if (risk_level === "critical" && approval.requested_by === person.name) {
    throw new AwoooiError("forbidden", "The person who requested a plan of critical risk may not sign it.");
  }
}

/** Returns the judged signatures; locks the signers' tokens, so that none is revoked before the transaction ends. */
const signaturesNow = async (tx: Ctx, approval: ApprovalRow) =>
  (await validateSignatures(tx, [approval], { hold: true })).get(approval.approval_id) ?? [];

/** Replaces a person's earlier signature that no longer counts; throws `already_signed` when it still counts. */
async function signAnew(tx: Ctx, approval: ApprovalRow, signature: Signature): Promise<void> {
  const { approval_id } = approval;
  const { person_id, person_name } = signature;
  const before = (await signaturesNow(tx, approval)).find((one) => one.person_id === person_id);
  if (before?.why_not == null) {
    throw new AwoooiError("already_signed", `${person_name} has already signed ${approval_id}.`);
  }
  await renewSignature(tx, signature);
}

/**
 * Signs exactly the plan whose hash is given. The signature that completes the quorum enqueues the
 * execution in the same transaction. Throws `plan_changed`, `already_signed`, `already_decided`,
 * `expired`, `not_ready`, `forbidden`, `not_found`.
 */
export async function approve(ctx: Ctx, input: ApproveInput, terms: ApprovalTerms): Promise<ApprovalRow> {
  authorise(ctx.actor, "approve", { people: "responder" });
  const person = ctx.actor as Person;
  const { approval_id, plan_hash, comment } = input;
  return transaction(ctx, async (tx) => {
    const now = tx.clock.now();
    const approval = await lockApproval(tx, approval_id);
    if (approval === undefined) throw new AwoooiError("not_found", `There is no approval ${approval_id}.`);
    mayCount(person, approval);
    assertPending(approval, now);
    if (approval.plan_hash !== plan_hash) {
      throw new AwoooiError(
        "plan_changed",
        `The plan has changed (now ${approval.plan_hash}): read it again.`,
      );
    }
    const { incident_id, plan } = approval;
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined || !isActive(incident)) {
      throw new AwoooiError(
        "already_decided",
        `${incident_id} is no longer active: there is nothing to repair.`,
      );
    }
    const signature = {
      approval_id,
      person_id: person.person_id,
      person_name: person.name,
      role: person.role,
      plan_hash,
      comment: comment ?? null,
      at: now,
    };
    if (!(await insertSignature(tx, signature))) await signAnew(tx, approval, signature);
    const signatures = await signaturesNow(tx, approval);
    const signed = countSigners(validSignatures(signatures), plan_hash, plan.risk_level);
    const complete = signed >= plan.required_signatures;
    const tally = `${signed} of ${plan.required_signatures}`;
    note(tx, {
      incident_id,
      kind: "approval",
      text: `Signed by ${person.name} (${tally})${comment === undefined ? "" : `: ${comment}`}`,
      data: { approval_id, plan_hash, signed, required_signatures: plan.required_signatures },
    });
    record(tx, {
      action: "approval.signed",
      subject: approval_id,
      data: { incident_id, plan_hash, tally, comment },
    });
    if (!complete) return approval;
    record(tx, { action: "approval.approved", subject: approval_id, data: { incident_id, plan_hash } });
    enqueue(tx, { kind: "execute", incident_id, approval_id });
    const authority_until = addSeconds(now, terms.authority);
    return updateApproval(tx, approval_id, { status: "approved", decided_at: now, authority_until });
  });
}
