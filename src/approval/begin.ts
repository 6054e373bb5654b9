import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { AwoooiError } from "../lib/error.ts";
import { lockApproval, markBegun } from "./store.ts";
import type { ApprovalRow } from "./types.ts";

/**
 * Marks an approval as being carried out, in the transaction that creates its execution: from then on it does not
 * expire. Whether it allows the act is checked by the gateway, not here. Throws `not_found`.
 */
export async function beginApproval(ctx: Ctx, approval_id: string): Promise<ApprovalRow> {
  authorise(ctx.actor, "carry out approvals", { people: "none", system: ["pipeline"] });
  const approval = await lockApproval(ctx, approval_id);
  if (approval === undefined) throw new AwoooiError("not_found", `There is no approval ${approval_id}.`);
  await markBegun(ctx, approval_id);
  return approval;
}
