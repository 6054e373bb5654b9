import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { PlaybookStatus } from "../contract/playbook.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { actorLabel } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { approverLapse } from "./approver.ts";
import { hashOf } from "./hash.ts";
import { lockPlaybook, updatePlaybook } from "./store.ts";
import type { PlaybookRow } from "./types.ts";

const approvedNow = ({ actor, clock }: Ctx) => ({
  approved_by: actorLabel(actor),
  approved_by_kind: actor.kind,
  approved_by_person: actor.kind === "person" ? actor.person_id : null,
  approved_at: clock.now(),
});

/** Sets a playbook's status in one transaction; does nothing where it has it already. Throws `not_found`, `plan_changed`. */
export async function setStatus(
  ctx: Ctx,
  playbook_id: string,
  status: Exclude<PlaybookStatus, "draft">,
  hash?: string,
): Promise<PlaybookRow> {
  return transaction(ctx, async (tx) => {
    const before = await lockPlaybook(tx, playbook_id);
    if (before === undefined) throw new AwoooiError("not_found", `There is no playbook ${playbook_id}.`);
    if (hash !== undefined && hashOf(before) !== hash)
      throw new AwoooiError("plan_changed", `${before.name} has changed: read it again.`);
    const isDone = before.status === status && (status !== "approved" || !(await approverLapse(tx, before)));
    if (isDone) return before;
    const by = status === "approved" ? approvedNow(tx) : {};
    const { name, steps } = before;
    const data = { name, from: before.status, hash: hashOf(before), steps };
    record(tx, { action: `playbook.${status}`, subject: playbook_id, data });
    return updatePlaybook(tx, playbook_id, { status, ...by });
  });
}

/**
 * Approves a playbook, so that it is matched to trouble; `hash` says which version was read. Approving it again changes
 * nothing, unless the earlier approver no longer may approve: then the actor becomes its approver. Throws `not_found`, and
 * `plan_changed` when its content has changed.
 */
export async function approvePlaybook(
  ctx: Ctx,
  input: { playbook_id: string; hash?: string | undefined },
): Promise<PlaybookRow> {
  authorise(ctx.actor, "approve playbooks", { people: "approver" });
  return setStatus(ctx, input.playbook_id, "approved", input.hash);
}
