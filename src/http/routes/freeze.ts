import { freezeBody, freezeStatus as statusSchema } from "../../contract/freeze.ts";
import { freeze, freezeStatus, unfreeze } from "../../execution/index.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

const response = { 200: statusSchema };

/** Registers the routes of the switch that stops all changes. */
export function freezeRoutes(app: ApiApp, deps: HttpDeps): void {
  app.get(
    "/freeze",
    { schema: { summary: "Whether changes are frozen now, and by what", response } },
    async ({ ctx }) => freezeStatus(ctx, deps.gateway),
  );
  app.put(
    "/freeze",
    {
      schema: {
        "x-role": "responder",
        summary: "Freeze all changes, for `duration` seconds or until it is lifted",
        body: freezeBody,
        response,
      },
    },
    async ({ ctx, body }) => {
      await freeze(ctx, body);
      return freezeStatus(ctx, deps.gateway);
    },
  );
  app.delete(
    "/freeze",
    { schema: { "x-role": "approver", summary: "Lift all freezes set by people", response } },
    async ({ ctx }) => {
      await unfreeze(ctx);
      return freezeStatus(ctx, deps.gateway);
    },
  );
}
