import { z } from "zod";
import {
  type ApprovalRow,
  approve,
  getApproval,
  judgedSignatures,
  listApprovals,
  presentRow,
  reject,
} from "../approval/index.ts";
import {
  type Approval,
  approval,
  approvalQuery,
  approve as approveBody,
  reject as rejectBody,
} from "../contract/approval.ts";
import { pageOf, wireId } from "../contract/common.ts";
import type { ExecutionStatus } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import { executionsOfApprovals, whatStopsAll } from "../execution/index.ts";
import { incidentsById } from "../incident/index.ts";
import type { ApiApp } from "./fastify.ts";
import type { HttpDeps } from "./types.ts";

const params = z.object({ id: wireId });

/** Of what was acted on the signatures are those of its quorum: who leaves later has signed it all the same. */
function asActedOn({ decided_at }: ApprovalRow, execution: ExecutionStatus | null): { asOf?: Date } {
  const acted = execution !== null && !["pending", "refused"].includes(execution);
  return acted && decided_at !== null ? { asOf: decided_at } : {};
}

async function present(
  ctx: Ctx,
  { gateway }: Pick<HttpDeps, "gateway">,
  rows: readonly { approval: ApprovalRow; execution: ExecutionStatus | null }[],
): Promise<Approval[]> {
  const signatures = await judgedSignatures(
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

/** One approval as it crosses the wire. */
export async function presentOne(
  ctx: Ctx,
  deps: Pick<HttpDeps, "gateway">,
  row: ApprovalRow,
): Promise<Approval> {
  const acted = (await executionsOfApprovals(ctx, [row.approval_id])).get(row.approval_id);
  const [view] = await present(ctx, deps, [{ approval: row, execution: acted?.status ?? null }]);
  if (view === undefined) throw new Error("one row gives one view");
  return view;
}

export function approvalRoutes(app: ApiApp, deps: HttpDeps): void {
  app.get(
    "/approvals",
    {
      schema: {
        summary: "Approvals, newest first",
        querystring: approvalQuery,
        response: { 200: pageOf(approval) },
      },
    },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listApprovals(ctx, query);
      return { items: rows.length === 0 ? [] : await present(ctx, deps, rows), next_cursor };
    },
  );

  app.get(
    "/approvals/:id",
    {
      schema: {
        summary: "One approval, with its plan, checks and signatures",
        params,
        response: { 200: approval },
      },
    },
    async ({ ctx, params: { id } }) => presentOne(ctx, deps, await getApproval(ctx, id)),
  );

  app.post(
    "/approvals/:id/approve",
    {
      schema: {
        "x-role": "responder",
        summary: "Sign exactly the plan that has this hash",
        description: "A responder signs what has low risk, an approver everything.",
        params,
        body: approveBody,
        response: { 200: approval },
      },
    },
    async ({ ctx, params: { id }, body }) =>
      presentOne(ctx, deps, await approve(ctx, { approval_id: id, ...body }, deps.terms)),
  );

  app.post(
    "/approvals/:id/reject",
    {
      schema: {
        "x-role": "responder",
        summary: "Turn a plan down, for a reason that is kept",
        params,
        body: rejectBody,
        response: { 200: approval },
      },
    },
    async ({ ctx, params: { id }, body }) =>
      presentOne(ctx, deps, await reject(ctx, { approval_id: id, ...body })),
  );
}
