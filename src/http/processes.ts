import { z } from "zod";
import { process, processComment, processList, processName } from "../contract/process.ts";
import type { ApiApp } from "./fastify.ts";
import type { HttpDeps } from "./types.ts";

const SUMMARIES = {
  start: "Have a process started, which is done soon after",
  stop: "Have a process stopped, which is done soon after; it stays stopped until it is started",
};

export function processRoutes(app: ApiApp, { processes }: Pick<HttpDeps, "processes">): void {
  app.get(
    "/processes",
    {
      schema: {
        summary: "The processes that AWOOOI supervises, and how they are",
        response: { 200: processList },
      },
    },
    async ({ ctx }) => ({ items: await processes.list(ctx) }),
  );

  for (const to of ["start", "stop"] as const) {
    app.post(
      `/processes/:id/${to}`,
      {
        schema: {
          "x-role": "approver",
          summary: SUMMARIES[to],
          description:
            "Stands on no plan, so it takes an admin where a restart takes more than one signature. In conflict while changes are frozen and in shadow mode. The answer is the process as it stands: `starting` or `stopping`.",
          params: z.object({ id: processName }),
          body: processComment.nullish(),
          response: { 200: process },
          "x-errors": [404, 409],
        },
      },
      async ({ ctx, params: { id }, body }) => processes.ask(ctx, { name: id, to, comment: body?.comment }),
    );
  }
}
