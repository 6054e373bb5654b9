import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { z } from "zod";
import {
  alertmanagerStatus,
  alertQuery,
  type GettableAlert,
  gettableAlert,
  receiver,
} from "../../contract/alertmanager-alerts.ts";
import { type FiringAlert, firingAlerts } from "../../intake/index.ts";
import { parseMatchers } from "../../lib/matchers.ts";
import { ALERTMANAGER_API } from "../observe.ts";
import { READER_CREDENTIALS } from "../openapi.ts";
import { receivingRoutes } from "../routes/webhooks.ts";
import type { StreamedLists } from "../streamed-list.ts";
import type { HttpDeps } from "../types.ts";
import { authenticateReader } from "./authenticate.ts";

const TAGS = ["alertmanager"];
// Go's zero time: Alertmanager's clients expect a time in every such field.
const NO_TIME = "0001-01-01T00:00:00.000Z";

/** Returns the status in Alertmanager's form; a maintenance window appears as a silence, by its name. */
function statusOf({ silenced_by }: FiringAlert): GettableAlert["status"] {
  const by = silenced_by ?? [];
  const ids = (inhibited: boolean) =>
    by.flatMap((one) => ((one.by === "inhibition") === inhibited ? [one.id] : []));
  const state = by.length > 0 ? "suppressed" : "active";
  return { state, silencedBy: ids(false), inhibitedBy: ids(true) };
}

/** Returns whether the query wants this alert: it can leave out a kind with `false`. */
function isWanted({ status }: GettableAlert, query: z.infer<typeof alertQuery>): boolean {
  const { state, silencedBy, inhibitedBy } = status;
  if (query.active === "false" && state === "active") return false;
  if (query.silenced === "false" && silencedBy.length > 0) return false;
  return query.inhibited !== "false" || inhibitedBy.length === 0;
}

function shown(row: FiringAlert, receivers: GettableAlert["receivers"]): GettableAlert {
  const { labels, annotations, starts_at, holds_until, last_received_at } = row;
  return {
    labels,
    annotations,
    startsAt: starts_at.toISOString(),
    endsAt: holds_until?.toISOString() ?? NO_TIME,
    updatedAt: last_received_at.toISOString(),
    generatorURL: row.generator_url ?? "",
    fingerprint: row.source_fingerprint,
    receivers,
    status: statusOf(row),
  };
}

async function* mapped<From, To>(pages: AsyncGenerator<From>, map: (page: From) => To): AsyncGenerator<To> {
  for await (const page of pages) yield map(page);
}

/** Registers the alerts part of Alertmanager's API v2 under its own path, for its clients. */
export function alertmanagerAlertRoutes(app: FastifyInstance, deps: HttpDeps, lists: StreamedLists): void {
  receivingRoutes(app, deps, ALERTMANAGER_API);
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const open = { tags: TAGS, security: READER_CREDENTIALS };
  routes.get(
    "/alerts",
    {
      schema: {
        ...open,
        summary: "Firing alerts",
        description:
          "From every source, newest first, among the 5,000 newest alerts. The list is streamed: a reader that is too slow is cut off, and with too many readers some are asked to retry.",
        querystring: alertQuery,
        response: { 200: z.array(gettableAlert) },
      },
    },
    async (request, reply) => {
      const ctx = await authenticateReader(request, deps);
      const { filter = [] } = request.query;
      const receivers = deps.notifiers().map((name) => ({ name }));
      const pages = firingAlerts(ctx, filter.flatMap(parseMatchers));
      const wanted = (rows: FiringAlert[]) =>
        rows.map((row) => shown(row, receivers)).filter((one) => isWanted(one, request.query));
      return lists.send(reply, mapped(pages, wanted));
    },
  );
  routes.get(
    "/receivers",
    { schema: { ...open, summary: "Receivers of alerts", response: { 200: z.array(receiver) } } },
    async (request) => {
      await authenticateReader(request, deps);
      return deps.notifiers().map((name) => ({ name }));
    },
  );
  routes.get(
    "/status",
    {
      schema: {
        ...open,
        summary: "Status of this server",
        description: "Only what Alertmanager's clients read, without the configuration.",
        response: { 200: alertmanagerStatus },
      },
    },
    async (request) => {
      await authenticateReader(request, deps);
      const unknown = { revision: "", branch: "", buildUser: "", buildDate: "", goVersion: "" };
      return {
        cluster: { status: "disabled" as const },
        versionInfo: { version: `awoooi ${deps.version}`, ...unknown },
        config: { original: "" },
        uptime: (await deps.health()).started_at,
      };
    },
  );
}
