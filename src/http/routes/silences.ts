import { z } from "zod";
import { pageOf, wireId } from "../../contract/common.ts";
import { alert } from "../../contract/incident.ts";
import {
  alertQuery,
  createSilence,
  silenceQuery,
  silence as silenceSchema,
  updateSilence as updateBody,
} from "../../contract/silence.ts";
import {
  endSilence,
  getSilence,
  listAlerts,
  listSilences,
  presentSilence,
  silence,
  updateSilence,
} from "../../silence/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ id: wireId });
const response = { 200: silenceSchema };

const dateOf = (text: string | undefined) => (text === undefined ? undefined : new Date(text));

/** Registers the routes for silences and for lists of alerts. */
export function silenceRoutes(app: ApiApp): void {
  app.get(
    "/alerts",
    {
      schema: {
        summary: "Alerts, newest first; `silenced=true`: only silenced ones",
        querystring: alertQuery,
        response: { 200: pageOf(alert) },
      },
    },
    async ({ ctx, query }) => listAlerts(ctx, query),
  );
  app.get(
    "/silences",
    {
      schema: {
        summary: "Silences, newest first",
        querystring: silenceQuery,
        response: { 200: pageOf(silenceSchema) },
      },
    },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listSilences(ctx, query);
      const now = ctx.clock.now();
      return { items: rows.map((row) => presentSilence(row, now)), next_cursor };
    },
  );
  app.post(
    "/silences",
    {
      schema: {
        "x-role": "responder",
        summary: "Silence alerts that match all matchers; `duration` in seconds",
        body: createSilence,
        response: { 201: silenceSchema },
      },
    },
    async ({ ctx, body }, reply) => {
      const times = { starts_at: dateOf(body.starts_at), ends_at: dateOf(body.ends_at) };
      const row = await silence(ctx, { ...body, ...times });
      return reply.status(201).send(presentSilence(row, ctx.clock.now()));
    },
  );
  app.get(
    "/silences/:id",
    { schema: { summary: "One silence", params, response } },
    async ({ ctx, params: { id } }) => presentSilence(await getSilence(ctx, id), ctx.clock.now()),
  );
  app.post(
    "/silences/:id/update",
    {
      schema: {
        "x-role": "responder",
        summary: "Change a silence's end or comment; its start too, before it begins",
        params,
        body: updateBody,
        response,
      },
    },
    async ({ ctx, params: { id }, body }) => {
      const times = { starts_at: dateOf(body.starts_at), ends_at: dateOf(body.ends_at) };
      const row = await updateSilence(ctx, { silence_id: id, comment: body.comment, ...times });
      return presentSilence(row, ctx.clock.now());
    },
  );
  app.post(
    "/silences/:id/expire",
    { schema: { "x-role": "responder", summary: "End a silence now", params, response } },
    async ({ ctx, params: { id } }) =>
      presentSilence(await endSilence(ctx, { silence_id: id }), ctx.clock.now()),
  );
}
