import { z } from "zod";
import { wireId } from "../../contract/common.ts";
import {
  assign as assignBody,
  comment as commentBody,
  feedback as feedbackBody,
  incident,
  merge as mergeBody,
  optionalComment,
} from "../../contract/incident.ts";
import { silenceIncident as silenceIncidentBody } from "../../contract/silence.ts";
import {
  acknowledge,
  assign,
  close,
  comment,
  getIncident,
  giveFeedback,
  reopen,
  resolve,
} from "../../incident/index.ts";
import { silenceIncident } from "../../silence/index.ts";
import { presentIncident } from "../../view/index.ts";
import type { ApiApp } from "../fastify.ts";
import type { HttpDeps } from "../types.ts";

const params = z.object({ id: wireId });
const verbSchema = (summary: string) => ({
  "x-role": "responder" as const,
  summary,
  params,
  response: { 200: incident },
});
const schemaOf = <Body extends z.ZodType>(summary: string, body: Body) => ({ ...verbSchema(summary), body });

/** Registers the verbs on an incident. Each answers with the incident as it is afterwards. */
export function incidentVerbRoutes(app: ApiApp, { relations }: HttpDeps): void {
  const at = (verb: string) => `/incidents/:id/${verb}`;

  app.post(
    at("acknowledge"),
    { schema: verbSchema("Acknowledge an incident") },
    async ({ ctx, params: { id } }) => presentIncident(ctx, await acknowledge(ctx, { incident_id: id })),
  );
  app.post(
    at("comment"),
    { schema: schemaOf("Comment on an incident", commentBody) },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await comment(ctx, { incident_id: id, text: body.text })),
  );
  app.post(
    at("silence"),
    { schema: schemaOf("Silence an incident's alerts for `duration` seconds", silenceIncidentBody) },
    async ({ ctx, params: { id }, body }) => {
      await silenceIncident(ctx, { incident_id: id, ...body });
      return presentIncident(ctx, await getIncident(ctx, id));
    },
  );
  app.post(
    at("resolve"),
    { schema: schemaOf("Resolve an incident; repeating it changes nothing", optionalComment.nullish()) },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await resolve(ctx, { incident_id: id, comment: body?.comment })),
  );
  app.post(
    at("reopen"),
    { schema: schemaOf("Reopen a resolved incident", optionalComment.nullish()) },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await reopen(ctx, { incident_id: id, comment: body?.comment })),
  );
  app.post(
    at("close"),
    { schema: verbSchema("Close a resolved incident: new alerts open another") },
    async ({ ctx, params: { id } }) => presentIncident(ctx, await close(ctx, { incident_id: id })),
  );
  app.post(
    at("merge"),
    { schema: schemaOf("Make it an effect of another incident, now and if both recur", mergeBody) },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await relations.merge(ctx, { incident_id: id, ...body })),
  );
  app.post(
    at("split"),
    {
      schema: schemaOf(
        "Make an effect an incident of its own, now and if both recur",
        optionalComment.nullish(),
      ),
    },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await relations.split(ctx, { incident_id: id, comment: body?.comment })),
  );
  app.post(
    at("assign"),
    { schema: schemaOf("Assign an incident", assignBody) },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await assign(ctx, { incident_id: id, owner: body.owner })),
  );
  app.post(
    at("feedback"),
    { schema: schemaOf("Rate how it was handled", feedbackBody) },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await giveFeedback(ctx, { incident_id: id, ...body })),
  );
}
