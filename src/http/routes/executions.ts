import { z } from "zod";
import { getApproval } from "../../approval/index.ts";
import { approval } from "../../contract/approval.ts";
import { pageOf, wireId } from "../../contract/common.ts";
import { execution, executionQuery, undo } from "../../contract/execution.ts";
import { getExecution, listExecutions, presentExecution } from "../../execution/index.ts";
import { publishApproval } from "../../view/index.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

const params = z.object({ id: wireId });

export function executionRoutes(app: ApiApp, deps: Pick<HttpDeps, "undo" | "gateway">): void {
  app.get(
    "/executions",
    {
      schema: {
        summary: "Executions, newest first",
        querystring: executionQuery,
        response: { 200: pageOf(execution) },
      },
    },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listExecutions(ctx, query);
      return { items: rows.map(presentExecution), next_cursor };
    },
  );

  app.get(
    "/executions/:id",
    {
      schema: {
        summary: "One execution, with its output and verification",
        params,
        response: { 200: execution },
      },
    },
    async ({ ctx, params: { id } }) => presentExecution(await getExecution(ctx, id)),
  );

  app.post(
    "/executions/:id/undo",
    {
      schema: {
        "x-role": "responder",
        summary: "Propose to undo an execution",
        description: "The answer is the approval, which needs signatures according to its risk.",
        params,
        body: undo.nullish(),
        response: { 200: approval },
      },
    },
    async ({ ctx, params: { id }, body }) => {
      const approval_id = await deps.undo(ctx, { execution_id: id, comment: body?.comment });
      return publishApproval(ctx, deps.gateway, await getApproval(ctx, approval_id));
    },
  );
}
