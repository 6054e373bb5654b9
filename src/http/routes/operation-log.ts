import { pageOf } from "../../contract/common.ts";
import { operationLogEntry, operationLogQuery } from "../../contract/operation-log.ts";
import { operationLog } from "../../incident/index.ts";
import type { ApiApp } from "../fastify.ts";

export function operationLogRoutes(app: ApiApp): void {
  app.get(
    "/operation-log",
    {
      schema: {
        summary: "The operation log of incidents, newest first",
        querystring: operationLogQuery,
        response: { 200: pageOf(operationLogEntry) },
      },
    },
    async ({ ctx, query }) => operationLog(ctx, query),
  );
}
