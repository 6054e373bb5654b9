import { configStatus, reloaded } from "../../contract/system.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

export function configRoutes(app: ApiApp, { config }: HttpDeps): void {
  app.get(
    "/config",
    {
      schema: {
        "x-role": "admin",
        summary: "The configuration in force, and since when",
        response: { 200: configStatus },
      },
    },
    async ({ ctx }) => config.status(ctx),
  );
  app.post(
    "/config/reload",
    {
      schema: {
        "x-role": "admin",
        summary: "Reload the configuration, as a whole or not at all",
        response: { 200: reloaded },
        "x-errors": [422],
      },
      config: { unkeyed: true },
    },
    async ({ ctx }) => config.reload(ctx),
  );
}
