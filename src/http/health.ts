import type { FastifyInstance } from "fastify";
import type { HttpDeps } from "./types.ts";

/** Whether the process runs, can take alerts, and what of it does not work. For anyone to ask. */
export function healthRoutes(app: FastifyInstance, deps: HttpDeps): void {
  app.get("/health/live", async () => ({ status: "ok" }));
  for (const path of ["/health", "/health/ready"]) {
    app.get(path, async (_request, reply) => {
      const health = await deps.health();
      return reply.status(health.status === "ok" ? 200 : 503).send(health);
    });
  }
}
