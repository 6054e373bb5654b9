import { configStatus, reloaded } from "../contract/system.ts";
import type { ApiApp } from "./server.ts";
import type { HttpDeps } from "./types.ts";

export function configRoutes(app: ApiApp, { config }: HttpDeps): void {
  app.get("/config", { schema: { response: { 200: configStatus } } }, async ({ ctx }) => config.status(ctx));
  app.post("/config/reload", { schema: { response: { 200: reloaded } } }, async ({ ctx }) =>
    config.reload(ctx),
  );
}
