import { toolList } from "../../contract/tool.ts";
import { listTools } from "../../execution/index.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

export function toolRoutes(app: ApiApp, deps: HttpDeps): void {
  app.get(
    "/tools",
    {
      schema: {
        summary: "Every tool of the gateway: its scope, its server, and whether it is reachable",
        response: { 200: toolList },
      },
    },
    async ({ ctx }) => ({ items: await listTools(ctx, deps.gateway) }),
  );
}
