import { authorise } from "../access/index.ts";
import type { Approval, ApprovalQuery, ApprovalStatus } from "../contract/approval.ts";
import type { ExecutionStatus } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import type { IncidentRow } from "../incident/index.ts";
import { kindOf } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { redactedOperation, stepsOf } from "../operation/index.ts";
import type { ValidatedSignature } from "./signature-validity.ts";
import { type ApprovalFilter, approvalPage, findApproval } from "./store.ts";
import type { ApprovalRow } from "./types.ts";

/** Returns an approval's status as people see it: once its execution has begun, the status follows from that. */
function shownStatus(
  approval: Pick<ApprovalRow, "status">,
  execution: ExecutionStatus | null,
): ApprovalStatus {
  if (approval.status !== "approved") return approval.status;
  switch (execution) {
    case null:
    case "pending":
      return "approved";
    case "running":
    case "verifying":
      return "executing";
    case "success":
      return "execution_success";
    case "failed":
    case "refused":
      return "execution_failed";
  }
}

const BEFORE_ACTING: ReadonlySet<ApprovalStatus> = new Set(["preparing", "pending", "approved"]);

/** Converts an approval to its wire form. */
export function presentRow(
  row: ApprovalRow,
  more: {
    signatures: readonly ValidatedSignature[];
    execution: ExecutionStatus | null;
    incident: Pick<IncidentRow, "fingerprint" | "hit_count">;
    /** Message of the refusal that stops every change now; null: none. */
    stopped_by: string | null;
  },
): Approval {
  const { plan, created_at, expires_at, decided_at, authority_until, ...more_of_it } = row;
  const { prepare_until: _, begun_at: __, ...rest } = more_of_it;
  const status = shownStatus(row, more.execution);
  return {
    ...rest,
    requested_by_kind: kindOf(row.requested_by_kind),
    status,
    execution_status: more.execution,
    operation: redactedOperation(plan.operation),
    steps: stepsOf(plan).map(redactedOperation),
    authority: plan.authority ?? "people",
    risk_level: plan.risk_level,
    required_signatures: plan.required_signatures,
    signatures: more.signatures.map((one) => ({
      signer: one.person_name,
      signer_kind: "person" as const,
      comment: one.comment,
      at: one.at.toISOString(),
      counts: one.why_not === null,
      why_not: one.why_not,
    })),
    stopped_by: BEFORE_ACTING.has(status) ? more.stopped_by : null,
    matched_playbook_id: plan.playbook_id ?? null,
    fingerprint: more.incident.fingerprint,
    hit_count: more.incident.hit_count,
    created_at: created_at.toISOString(),
    expires_at: expires_at?.toISOString() ?? null,
    decided_at: decided_at?.toISOString() ?? null,
    authority_until: authority_until?.toISOString() ?? null,
  };
}

/** Returns one approval; throws `not_found`. */
export async function getApproval(ctx: Ctx, approval_id: string): Promise<ApprovalRow> {
  authorise(ctx.actor, "read approvals", { people: "viewer", system: ["pipeline", "sweep"] });
  const approval = await findApproval(ctx, approval_id);
  if (approval === undefined) throw new AwoooiError("not_found", `There is no approval ${approval_id}.`);
  return approval;
}

const FILTERS: Record<ApprovalStatus, ApprovalFilter> = {
  preparing: { status: "preparing" },
  pending: { status: "pending" },
  rejected: { status: "rejected" },
  expired: { status: "expired" },
  superseded: { status: "superseded" },
  approved: { status: "approved", execution: null },
  executing: { status: "approved", execution: ["running", "verifying"] },
  execution_success: { status: "approved", execution: ["success"] },
  execution_failed: { status: "approved", execution: ["failed", "refused"] },
};

/** Returns a page of approvals, newest first, each with the status of its execution. */
export async function listApprovals(
  ctx: Ctx,
  query: ApprovalQuery,
): Promise<{
  rows: { approval: ApprovalRow; execution: ExecutionStatus | null }[];
  next_cursor: string | null;
}> {
  authorise(ctx.actor, "read approvals", { people: "viewer" });
  const { status, incident_id, limit, cursor } = query;
  const filter = { ...(status === undefined ? {} : FILTERS[status]), incident_id };
  const rows = await approvalPage(ctx, filter, limit, cursor);
  const page = pageOf(rows, limit, (row) => ({ at: row.approval.created_at, id: row.approval.approval_id }));
  return { ...page, rows: page.rows as { approval: ApprovalRow; execution: ExecutionStatus | null }[] };
}
