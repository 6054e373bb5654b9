import { z } from "zod";
import { process, processComment, processList, processName } from "../../contract/process.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

const SUMMARIES = {
  start: "Start a process, soon after the answer",
  stop: "Stop a process, soon after the answer; it stays stopped until it is started",
};

export function processRoutes(app: ApiApp, { processes }: Pick<HttpDeps, "processes">): void {
  app.get(
    "/processes",
    {
      schema: {
        summary: "The supervised processes and their states",
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
            "Needs no plan, so it needs an admin where a restart needs more than one signature. A conflict while changes are frozen and in shadow mode. The answer is the process as it is: `starting` or `stopping`.",
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
