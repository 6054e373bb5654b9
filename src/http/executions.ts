import { z } from "zod";
import { pageOf, wireId } from "../contract/common.ts";
import { execution, executionQuery } from "../contract/execution.ts";
import { getExecution, listExecutions, presentExecution } from "../execution/index.ts";
import type { ApiApp } from "./server.ts";

const params = z.object({ id: wireId });

export function executionRoutes(app: ApiApp): void {
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
}
