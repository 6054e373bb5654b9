import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { authenticate } from "../../access/index.ts";
import { callOf } from "../call.ts";
import type { HttpDeps } from "../types.ts";

const TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Registers the metrics for Prometheus: open to this machine and configured networks, else to anyone with a token. */
export function metricsRoutes(app: FastifyInstance, { metrics, ctxOf }: HttpDeps): void {
  app.get("/metrics", {
    schema: {
      security: [{}, { token: [] }],
      tags: ["system"],
      summary: "Metrics, for Prometheus",
      description: "Without a token from this machine and `metrics.networks`; else with one of any role.",
      response: {
        200: { description: "Prometheus' text format", content: { "text/plain": { schema: z.string() } } },
      },
    },
    serializerCompiler: () => (page) => page as string,
    onRequest: async (request) => {
      if (metrics.admits(callOf(request))) return;
      const anyone = ctxOf({ kind: "system", name: "bootstrap" });
      await authenticate(anyone, request.headers.authorization);
    },
    handler: async (_request, reply) => reply.type(TYPE).send(await metrics.page()),
  });
}
