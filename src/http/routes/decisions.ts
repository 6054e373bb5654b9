import { z } from "zod";
import { wireId } from "../../contract/common.ts";
import { decision } from "../../contract/decision.ts";
import { getDecision } from "../../decision/index.ts";
import { presentDecision } from "../../view/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ token: wireId });

export function decisionRoutes(app: ApiApp): void {
  app.get(
    "/decisions/:token",
    { schema: { summary: "One decision, by its token", params, response: { 200: decision } } },
    async ({ ctx, params: { token } }) => presentDecision(ctx, await getDecision(ctx, token)),
  );
}
