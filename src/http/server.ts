import helmet from "@fastify/helmet";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { authenticate } from "../access/index.ts";
import { SMALL_BODY, type SourceKind } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import { jsonText } from "../lib/json-text.ts";
import { alertmanagerAlertRoutes } from "./alertmanager-api/alerts.ts";
import { alertmanagerSilences } from "./alertmanager-api/silences.ts";
import { answerClientError } from "./client-error.ts";
import { drainRefusedBodies } from "./drain-refused-body.ts";
import { errorHandler } from "./error-handler.ts";
import { type App, withZodTypes } from "./fastify.ts";
import { idempotentWrites } from "./idempotency.ts";
import { ALERTMANAGER_API, observe, requestId, WEBHOOKS } from "./observe.ts";
import { describeRoutes, openapiRoutes } from "./openapi.ts";
import { approvalRoutes } from "./routes/approvals.ts";
import { auditRoutes } from "./routes/audit.ts";
import { configRoutes } from "./routes/config.ts";
import { correlationRoutes } from "./routes/correlation.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { decisionRoutes } from "./routes/decisions.ts";
import { diagnosisRoutes } from "./routes/diagnosis.ts";
import { executionRoutes } from "./routes/executions.ts";
import { freezeRoutes } from "./routes/freeze.ts";
import { healthRoutes } from "./routes/health.ts";
import { heartbeatRoutes } from "./routes/heartbeats.ts";
import { incidentVerbRoutes } from "./routes/incident-verbs.ts";
import { incidentRoutes } from "./routes/incidents.ts";
import { metricsRoutes } from "./routes/metrics.ts";
import { operationLogRoutes } from "./routes/operation-log.ts";
import { answerOtherMethods } from "./routes/other-methods.ts";
import { playbookRoutes } from "./routes/playbooks.ts";
import { processRoutes } from "./routes/processes.ts";
import { rootRoutes } from "./routes/root.ts";
import { silenceRoutes } from "./routes/silences.ts";
import { sourceRoutes } from "./routes/sources.ts";
import { storageRoutes } from "./routes/storage.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { toolRoutes } from "./routes/tools.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import { webhookHints, whichHealth } from "./routes/which-webhook.ts";
import { StreamedLists } from "./streamed-list.ts";
import type { HttpDeps } from "./types.ts";

/** Registers AWOOOI's own API: JSON in and out, a token on every call. */
function api(app: FastifyInstance, deps: HttpDeps): void {
  app.decorateRequest("ctx");
  app.addHook("onRequest", async (request) => {
    const anyone = deps.ctxOf({ kind: "system", name: "bootstrap" });
    request.ctx = deps.ctxOf(await authenticate(anyone, request.headers.authorization));
  });
  idempotentWrites(app);
  const routes = withZodTypes(app);
  incidentRoutes(routes);
  incidentVerbRoutes(routes, deps);
  correlationRoutes(routes);
  approvalRoutes(routes, deps);
  decisionRoutes(routes);
  executionRoutes(routes, deps);
  operationLogRoutes(routes);
  diagnosisRoutes(routes, deps);
  freezeRoutes(routes, deps);
  processRoutes(routes, deps);
  toolRoutes(routes, deps);
  tokenRoutes(routes);
  deadLetterRoutes(routes);
  heartbeatRoutes(routes);
  silenceRoutes(routes);
  playbookRoutes(routes);
  auditRoutes(routes);
  configRoutes(routes, deps);
  storageRoutes(routes, deps);
  sourceRoutes(routes, deps);
}

/** Registers routes in a scope with hooks of its own, in the order of the calls. */
function mount(app: FastifyInstance, prefix: string, routes: (part: FastifyInstance) => void): void {
  app.register(
    (part, _options, done) => {
      routes(part);
      done();
    },
    { prefix },
  );
}

/** Registers everything that a browser may be shown, and the answer to unknown paths. */
function browserRoutes(
  app: FastifyInstance,
  deps: HttpDeps,
  lists: StreamedLists,
  {
    whichWebhook,
    finish,
  }: { whichWebhook: (path: string) => string; finish: (app: FastifyInstance) => void },
): void {
  app.register(helmet);
  const missing = async (request: FastifyRequest) => {
    const [path = "/"] = request.url.split("?");
    const hint = ["POST", "PUT"].includes(request.method) ? whichWebhook(path) : whichHealth(path);
    throw new AwoooiError("not_found", `There is no ${request.method} ${path}.${hint}`);
  };
  // Before the body is read: the caller is not authenticated.
  app.addHook("onRequest", async (request) => {
    if (request.is404) await missing(request);
  });
  app.setNotFoundHandler(missing);
  mount(app, "", (part) => rootRoutes(part));
  mount(app, "/api/v1", (part) => healthRoutes(part, deps));
  mount(app, "", (part) => metricsRoutes(part, deps));
  mount(app, "", (part) => openapiRoutes(part));
  mount(app, "/api/v1", (part) => api(part, deps));
  mount(app, ALERTMANAGER_API, (part) => alertmanagerSilences(part, deps, lists));
  mount(app, "", () => finish(app));
}

/** Other paths of endpoints, with the path that each stands for. Throws for an endpoint that no route would be made for. */
function aliasesOf(kinds: readonly SourceKind[]): Map<string, string> {
  const endpoints = kinds.flatMap((kind) => kind.endpoints);
  for (const { path } of endpoints)
    if (![WEBHOOKS, ALERTMANAGER_API].some((below) => path.startsWith(`${below}/`)))
      throw new Error(`${path} is below neither ${WEBHOOKS} nor ${ALERTMANAGER_API}`);
  return new Map(endpoints.flatMap(({ path, aliases = [] }) => aliases.map((alias) => [alias, path])));
}

/** Creates the HTTP server, which does not listen yet. */
export async function createServer(deps: HttpDeps): Promise<App> {
  const answerError = errorHandler(deps.log);
  const aliases = aliasesOf(deps.sources.kinds);
  const app = Fastify({
    logger: false,
    genReqId: requestId,
    // Errors before a route is found, such as a path that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      answerError(error, request, reply);
    },
    clientErrorHandler: answerClientError,
    // Node would answer a missing Host header with an empty body.
    http: { requireHostHeader: false },
    bodyLimit: deps.body_limit,
    requestTimeout: 30_000,
    rewriteUrl: ({ url = "/" }) => aliases.get(url) ?? url,
    routerOptions: { maxParamLength: 200 },
    // Stopping must not wait for senders that keep their connections open.
    forceCloseConnections: "idle",
    return503OnClosing: true,
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  app.addHook("onRequest", async ({ raw }) => {
    if (raw.httpVersion === "1.1" && raw.headers.host === undefined)
      throw new AwoooiError("unparsable", "There is no Host header.");
  });
  // An empty body counts as none, whatever its content type: several verbs need none.
  const parseSafely = app.getDefaultJsonParser("error", "error");
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
    const text = jsonText(body as Buffer);
    if (text === "") done(null, undefined);
    else void parseSafely(request, text, done);
  });
  app.decorateRequest("sender", null);
  observe(app, deps.meter, deps.log);
  drainRefusedBodies(app, SMALL_BODY);
  await describeRoutes(app, deps);
  const whichWebhook = webhookHints(deps.sources.kinds);
  const finish = answerOtherMethods(app, whichWebhook);
  const lists = new StreamedLists(deps.lists);
  mount(app, WEBHOOKS, (part) => webhookRoutes(part, deps));
  mount(app, ALERTMANAGER_API, (part) => alertmanagerAlertRoutes(part, deps, lists));
  // Helmet's headers are for browsers; webhook calls are spared their cost.
  mount(app, "", (pages) => browserRoutes(pages, deps, lists, { whichWebhook, finish }));
  await app.ready();
  return app;
}
