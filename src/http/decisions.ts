import { z } from "zod";
import { approvalKeys } from "../approval/index.ts";
import { wireId } from "../contract/common.ts";
import { decision } from "../contract/decision.ts";
import { getDecision, presentDecision } from "../decision/index.ts";
import { executionsOfApprovals } from "../execution/index.ts";
import type { ApiApp } from "./fastify.ts";

const params = z.object({ token: wireId });

export function decisionRoutes(app: ApiApp): void {
  app.get(
    "/decisions/:token",
    { schema: { summary: "One decision, by its token", params, response: { 200: decision } } },
    async ({ ctx, params: { token } }) => {
      const found = await getDecision(ctx, token);
      const own = (await approvalKeys(ctx, [found.incident_id])).get(found.incident_id);
      const asked = own?.find((one) => one.decision_token === token);
      const acted = asked && (await executionsOfApprovals(ctx, [asked.approval_id])).get(asked.approval_id);
      return presentDecision(found, acted?.status ?? null);
    },
  );
}
