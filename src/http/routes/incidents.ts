import { z } from "zod";
import { pageOf, pageQuery, wireId } from "../../contract/common.ts";
import { decision } from "../../contract/decision.ts";
import { investigation } from "../../contract/evidence.ts";
import { execution } from "../../contract/execution.ts";
import { alert, incident, incidentQuery, timelineEvent } from "../../contract/incident.ts";
import { latestDecisions } from "../../decision/index.ts";
import { listExecutions, presentExecution } from "../../execution/index.ts";
import { getIncident, listIncidents, timelineOf } from "../../incident/index.ts";
import { alertsOf } from "../../intake/index.ts";
import { getEvidence } from "../../investigation/index.ts";
import { AwoooiError } from "../../lib/error.ts";
import { presentDecision, presentIncident, presentIncidents } from "../../view/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ id: wireId });
// An alert may be 100 kB large.
const alertsQuery = pageQuery.extend({ limit: z.coerce.number().int().min(1).max(200).default(200) });
const after = z.object({ after: z.coerce.number().int().min(0).default(0) });

/** Registers the routes that read incidents. */
export function incidentRoutes(app: ApiApp): void {
  app.get(
    "/incidents",
    {
      schema: {
        summary: "Incidents, newest first",
        querystring: incidentQuery,
        response: { 200: pageOf(incident) },
      },
    },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listIncidents(ctx, query);
      return { items: await presentIncidents(ctx, rows), next_cursor };
    },
  );

  app.get(
    "/incidents/:id",
    { schema: { summary: "One incident", params, response: { 200: incident } } },
    async ({ ctx, params: { id } }) => presentIncident(ctx, await getIncident(ctx, id)),
  );

  app.get(
    "/incidents/:id/timeline",
    {
      schema: {
        summary: "The timeline, oldest first; at most 500 events after `after`",
        params,
        querystring: after,
        response: { 200: z.object({ items: z.array(timelineEvent) }) },
      },
    },
    async ({ ctx, params: { id }, query }) => ({ items: await timelineOf(ctx, id, query.after) }),
  );

  app.get(
    "/incidents/:id/alerts",
    {
      schema: {
        summary: "The alerts of an incident, newest first",
        params,
        querystring: alertsQuery,
        response: { 200: pageOf(alert) },
      },
    },
    async ({ ctx, params: { id }, query }) => {
      await getIncident(ctx, id);
      return alertsOf(ctx, id, query);
    },
  );

  app.get(
    "/incidents/:id/evidence",
    {
      schema: {
        summary: "The latest evidence about an incident's target, and the findings",
        params,
        response: { 200: investigation.nullable() },
      },
    },
    async ({ ctx, params: { id } }) => getEvidence(ctx, id),
  );

  app.get(
    "/incidents/:id/decision",
    { schema: { summary: "The latest decision about an incident", params, response: { 200: decision } } },
    async ({ ctx, params: { id } }) => {
      await getIncident(ctx, id);
      const found = (await latestDecisions(ctx, [id])).get(id);
      if (found === undefined) throw new AwoooiError("not_found", `There is no decision about ${id}.`);
      return presentDecision(ctx, found);
    },
  );

  app.get(
    "/incidents/:id/executions",
    {
      schema: {
        summary: "The executions of an incident, newest first",
        params,
        querystring: pageQuery,
        response: { 200: pageOf(execution) },
      },
    },
    async ({ ctx, params: { id }, query }) => {
      await getIncident(ctx, id);
      const { rows, next_cursor } = await listExecutions(ctx, { ...query, incident_id: id });
      return { items: rows.map(presentExecution), next_cursor };
    },
  );
}
