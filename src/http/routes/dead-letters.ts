import { z } from "zod";
import { pageOf, wireId } from "../../contract/common.ts";
import { deadLetter, deadLetterQuery, deadLetterWithBody } from "../../contract/dead-letter.ts";
import { getDeadLetter, listDeadLetters, replay } from "../../intake/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ id: wireId });

export function deadLetterRoutes(app: ApiApp): void {
  app.get(
    "/dead-letters",
    {
      schema: {
        summary: "Calls that could not be parsed, or only in part, newest first",
        querystring: deadLetterQuery,
        response: { 200: pageOf(deadLetter) },
      },
    },
    async ({ ctx, query }) => listDeadLetters(ctx, query),
  );

  app.get(
    "/dead-letters/:id",
    {
      schema: {
        summary: "One dead letter; for responders with its body as received",
        params,
        response: { 200: deadLetterWithBody },
      },
    },
    async ({ ctx, params: { id } }) => getDeadLetter(ctx, id),
  );

  app.post(
    "/dead-letters/:id/replay",
    {
      schema: {
        "x-role": "responder",
        summary: "Parse a dead letter again; its alerts count once",
        params,
        response: { 202: deadLetter },
      },
    },
    async ({ ctx, params: { id } }, reply) =>
      reply.status(202).send(await replay(ctx, { dead_letter_id: id })),
  );
}
