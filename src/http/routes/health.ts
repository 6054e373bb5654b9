import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { health } from "../../contract/system.ts";
import { NO_CREDENTIALS } from "../openapi.ts";
import type { HttpDeps } from "../types.ts";

const SUMMARY = {
  "/health": "What works and what does not",
  "/health/ready": "Whether alerts can be accepted now",
} as const;

/** Registers the health routes, for anyone: whether the process runs, can accept alerts, and which parts do not work. */
export function healthRoutes(app: FastifyInstance, deps: HttpDeps): void {
  const open = { security: NO_CREDENTIALS, tags: ["system"] };
  app.get(
    "/health/live",
    {
      schema: {
        ...open,
        summary: "Whether the process runs",
        response: { 200: z.object({ status: z.literal("ok") }) },
      },
    },
    async () => ({ status: "ok" }),
  );
  for (const path of ["/health", "/health/ready"] as const) {
    const schema = { ...open, summary: SUMMARY[path], response: { 200: health, 503: health } };
    app.get(path, { schema }, async (_request, reply) => {
      const state = await deps.health();
      return reply.status(state.status === "ok" ? 200 : 503).send(state);
    });
  }
}
