import { z } from "zod";
import { pageOf, pageQuery, wireId } from "../../contract/common.ts";
import { heartbeat } from "../../contract/heartbeat.ts";
import { forgetHeartbeat, listHeartbeats } from "../../intake/index.ts";
import type { ApiApp } from "../fastify.ts";

export function heartbeatRoutes(app: ApiApp): void {
  app.get(
    "/heartbeats",
    {
      schema: {
        summary: "Expected heartbeats, newest first",
        querystring: pageQuery,
        response: { 200: pageOf(heartbeat) },
      },
    },
    async ({ ctx, query }) => listHeartbeats(ctx, query),
  );

  app.delete(
    "/heartbeats/:id",
    {
      schema: {
        "x-role": "responder",
        summary: "Stop expecting a heartbeat; the alert about its absence ends",
        params: z.object({ id: wireId }),
        response: { 200: heartbeat },
      },
    },
    async ({ ctx, params: { id } }) => forgetHeartbeat(ctx, id),
  );
}
