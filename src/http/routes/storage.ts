import { authorise } from "../../access/index.ts";
import { pruneAnswer, pruneBody, storageReport } from "../../contract/storage.ts";
import { actorLabel } from "../../lib/actor.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

export function storageRoutes(app: ApiApp, { storage }: HttpDeps): void {
  app.get(
    "/storage",
    {
      schema: {
        summary: "Size, age and retention of what is stored",
        response: { 200: storageReport },
      },
    },
    async ({ ctx }) => {
      authorise(ctx.actor, "see disk usage", { people: "viewer" });
      return storage.report();
    },
  );

  app.post(
    "/storage/prune",
    {
      schema: {
        "x-role": "admin",
        summary: "Delete expired data now, or only count it",
        body: pruneBody.nullish(),
        response: { 200: pruneAnswer },
      },
      config: { unkeyed: true },
    },
    async ({ ctx, body }) => {
      authorise(ctx.actor, "delete expired data", { people: "admin" });
      return storage.prune({ dry_run: body?.dry_run ?? false, asked_by: actorLabel(ctx.actor) });
    },
  );
}
