import { type ApprovalRow, presentRow, validateSignatures } from "../approval/index.ts";
import type { Approval } from "../contract/approval.ts";
import type { ExecutionStatus } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import { executionsOfApprovals, type StopTerms, whatStopsAll } from "../execution/index.ts";
import { incidentsById } from "../incident/index.ts";

/** Judges signatures of a plan that was acted on as of its approval: they still count if a signer leaves later. */
function asActedOn({ decided_at }: ApprovalRow, execution: ExecutionStatus | null): { asOf?: Date } {
  const acted = execution !== null && !["pending", "refused"].includes(execution);
  return acted && decided_at !== null ? { asOf: decided_at } : {};
}

/** Converts approvals to their wire form, with which signatures count and what would stop a change now. */
export async function presentApprovals(
  ctx: Ctx,
  gateway: StopTerms,
  rows: readonly { approval: ApprovalRow; execution: ExecutionStatus | null }[],
): Promise<Approval[]> {
  const signatures = await validateSignatures(
    ctx,
    rows.map(({ approval, execution }) => ({ ...approval, ...asActedOn(approval, execution) })),
  );
  const incidents = await incidentsById(
    ctx,
    rows.map((row) => row.approval.incident_id),
  );
  const stopped_by = (await whatStopsAll(ctx, gateway))?.message ?? null;
  return rows.map(({ approval: row, execution }) => {
    const incident = incidents.get(row.incident_id);
    if (incident === undefined) throw new Error(`approval ${row.approval_id} has no incident`);
    const judged = signatures.get(row.approval_id) ?? [];
    return presentRow(row, { signatures: judged, execution, incident, stopped_by });
  });
}

/** Converts one approval to its wire form. */
export async function publishApproval(ctx: Ctx, gateway: StopTerms, row: ApprovalRow): Promise<Approval> {
  const acted = (await executionsOfApprovals(ctx, [row.approval_id])).get(row.approval_id);
  const [view] = await presentApprovals(ctx, gateway, [{ approval: row, execution: acted?.status ?? null }]);
  if (view === undefined) throw new Error("one row gives one view");
  return view;
}
