import { findPersonByName, roleAssignmentsOf, type SignatureStanding, standingOf } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import type { PlaybookRow } from "./types.ts";

type Approved = Pick<PlaybookRow, "approved_by" | "approved_by_kind" | "approved_by_person" | "approved_at">;

/** Returns the id of the approver; where it was not stored, the person who has the stored name. */
async function approverOf(ctx: Ctx, { approved_by, approved_by_kind: kind, ...row }: Approved) {
  if (row.approved_by_person !== null) return row.approved_by_person;
  if (approved_by === null || (kind !== null && kind !== "person")) return null;
  return findPersonByName(ctx, approved_by);
}

/**
 * Returns why a playbook's approval no longer lets it run by itself; null: it does. As with signatures, the approver must
 * have had the role without a break since, or have left with their signatures kept. Holds their tokens against revocation
 * until the transaction ends.
 */
export async function approverLapse(ctx: Ctx, playbook: Approved): Promise<string | null> {
  const person_id = await approverOf(ctx, playbook);
  if (person_id === null) return "the approver of its playbook is unknown";
  const tenures = (await roleAssignmentsOf(ctx, [person_id], { hold: true })).get(person_id) ?? [];
  const now = ctx.clock.now();
  // Without a time of approval, they must hold the role now, or have left with their signatures kept.
  const kept = tenures.filter((one) => one.keeps_signatures).flatMap(({ until }) => until ?? []);
  const times = playbook.approved_at === null ? [now, ...kept] : [playbook.approved_at];
  const standings: SignatureStanding[] = times.map((since) => standingOf(tenures, "approver", since, now));
  const [first] = standings;
  if (first === undefined || first.stands || standings.some((one) => one.stands)) return null;
  return `${playbook.approved_by ?? person_id} approved its playbook, and ${first.why}`;
}
