import { diagnosisQuery, investigation } from "../../contract/evidence.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

export function diagnosisRoutes(app: ApiApp, { diagnose }: HttpDeps): void {
  app.get(
    "/diagnosis",
    {
      schema: {
        summary: "Diagnose a target from facts read now: causes first, with their evidence",
        querystring: diagnosisQuery,
        response: { 200: investigation },
        "x-errors": [404],
      },
    },
    async ({ ctx, query }) => diagnose(ctx, query),
  );
}
