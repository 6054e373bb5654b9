import { z } from "zod";
import { approve, getApproval, listApprovals, reject } from "../../approval/index.ts";
import {
  approval,
  approvalQuery,
  approve as approveBody,
  reject as rejectBody,
} from "../../contract/approval.ts";
import { pageOf, wireId } from "../../contract/common.ts";
import { presentApprovals, publishApproval } from "../../view/index.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

const params = z.object({ id: wireId });

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
      return { items: rows.length === 0 ? [] : await presentApprovals(ctx, deps.gateway, rows), next_cursor };
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
    async ({ ctx, params: { id } }) => publishApproval(ctx, deps.gateway, await getApproval(ctx, id)),
  );

  app.post(
    "/approvals/:id/approve",
    {
      schema: {
        "x-role": "responder",
        summary: "Sign the plan with exactly this hash",
        description: "A responder may sign low risk, an approver any risk.",
        params,
        body: approveBody,
        response: { 200: approval },
      },
    },
    async ({ ctx, params: { id }, body }) =>
      publishApproval(ctx, deps.gateway, await approve(ctx, { approval_id: id, ...body }, deps.terms)),
  );

  app.post(
    "/approvals/:id/reject",
    {
      schema: {
        "x-role": "responder",
        summary: "Reject a plan, with a reason",
        params,
        body: rejectBody,
        response: { 200: approval },
      },
    },
    async ({ ctx, params: { id }, body }) =>
      publishApproval(ctx, deps.gateway, await reject(ctx, { approval_id: id, ...body })),
  );
}
