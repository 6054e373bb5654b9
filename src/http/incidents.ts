import { z } from "zod";
import { approvalKeys } from "../approval/index.ts";
import { pageOf, pageQuery, wireId } from "../contract/common.ts";
import { decision } from "../contract/decision.ts";
import { execution } from "../contract/execution.ts";
import {
  alert,
  assign as assignBody,
  comment as commentBody,
  feedback as feedbackBody,
  incident,
  incidentQuery,
  reopen as reopenBody,
  resolve as resolveBody,
  timelineEvent,
} from "../contract/incident.ts";
import { latestDecisions, presentDecision } from "../decision/index.ts";
import { executionsOfApprovals, listExecutions, presentExecution } from "../execution/index.ts";
import {
  acknowledge,
  assign,
  close,
  comment,
  getIncident,
  giveFeedback,
  listIncidents,
  reopen,
  resolve,
  timelineOf,
} from "../incident/index.ts";
import { alertsOf } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { presentIncident, presentIncidents } from "./incident-view.ts";
import type { ApiApp } from "./server.ts";

const params = z.object({ id: wireId });
const after = z.object({ after: z.coerce.number().int().min(0).default(0) });

export function incidentRoutes(app: ApiApp): void {
  app.get(
    "/incidents",
    { schema: { querystring: incidentQuery, response: { 200: pageOf(incident) } } },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listIncidents(ctx, query);
      return { items: await presentIncidents(ctx, rows), next_cursor };
    },
  );

  app.get(
    "/incidents/:id",
    { schema: { params, response: { 200: incident } } },
    async ({ ctx, params: { id } }) => presentIncident(ctx, await getIncident(ctx, id)),
  );

  app.get(
    "/incidents/:id/timeline",
    {
      schema: { params, querystring: after, response: { 200: z.object({ items: z.array(timelineEvent) }) } },
    },
    async ({ ctx, params: { id }, query }) => ({ items: await timelineOf(ctx, id, query.after) }),
  );

  app.get(
    "/incidents/:id/alerts",
    { schema: { params, response: { 200: z.object({ items: z.array(alert) }) } } },
    async ({ ctx, params: { id } }) => {
      await getIncident(ctx, id);
      return { items: await alertsOf(ctx, id) };
    },
  );

  app.get(
    "/incidents/:id/decision",
    { schema: { params, response: { 200: decision } } },
    async ({ ctx, params: { id } }) => {
      await getIncident(ctx, id);
      const found = (await latestDecisions(ctx, [id])).get(id);
      if (found === undefined) throw new AwoooiError("not_found", `Nothing has been decided about ${id}.`);
      const own = (await approvalKeys(ctx, [id])).get(id)?.find((one) => one.decision_token === found.token);
      const acted = own && (await executionsOfApprovals(ctx, [own.approval_id])).get(own.approval_id);
      return presentDecision(found, acted?.status ?? null);
    },
  );

  app.get(
    "/incidents/:id/executions",
    { schema: { params, querystring: pageQuery, response: { 200: pageOf(execution) } } },
    async ({ ctx, params: { id }, query }) => {
      await getIncident(ctx, id);
      const { rows, next_cursor } = await listExecutions(ctx, { ...query, incident_id: id });
      return { items: rows.map(presentExecution), next_cursor };
    },
  );

  app.post(
    "/incidents/:id/acknowledge",
    { schema: { params, response: { 200: incident } } },
    async ({ ctx, params: { id } }) => presentIncident(ctx, await acknowledge(ctx, { incident_id: id })),
  );

  app.post(
    "/incidents/:id/comment",
    { schema: { params, body: commentBody, response: { 200: incident } } },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await comment(ctx, { incident_id: id, text: body.text })),
  );

  app.post(
    "/incidents/:id/resolve",
    { schema: { params, body: resolveBody.optional(), response: { 200: incident } } },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await resolve(ctx, { incident_id: id, comment: body?.comment })),
  );

  app.post(
    "/incidents/:id/reopen",
    { schema: { params, body: reopenBody.optional(), response: { 200: incident } } },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await reopen(ctx, { incident_id: id, comment: body?.comment })),
  );

  app.post(
    "/incidents/:id/close",
    { schema: { params, response: { 200: incident } } },
    async ({ ctx, params: { id } }) => presentIncident(ctx, await close(ctx, { incident_id: id })),
  );

  app.post(
    "/incidents/:id/assign",
    { schema: { params, body: assignBody, response: { 200: incident } } },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await assign(ctx, { incident_id: id, owner: body.owner })),
  );

  app.post(
    "/incidents/:id/feedback",
    { schema: { params, body: feedbackBody, response: { 200: incident } } },
    async ({ ctx, params: { id }, body }) =>
      presentIncident(ctx, await giveFeedback(ctx, { incident_id: id, ...body })),
  );
}
