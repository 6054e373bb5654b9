import swagger from "@fastify/swagger";
import type { FastifyInstance, RouteOptions } from "fastify";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
import { token } from "../contract/access.ts";
import { approval } from "../contract/approval.ts";
import { problem } from "../contract/common.ts";
import { decision } from "../contract/decision.ts";
import { execution } from "../contract/execution.ts";
import { freezeStatus } from "../contract/freeze.ts";
import { alert, incident, timelineEvent } from "../contract/incident.ts";
import { playbook } from "../contract/playbook.ts";
import { silence } from "../contract/silence.ts";
import { auditEntry, auditReport, health } from "../contract/system.ts";
import { alertResult, webhookAnswer } from "../contract/webhook.ts";
import type { SourceKind } from "../intake/index.ts";
import type { Role } from "../lib/actor.ts";
import { ERRORS, type ErrorCode } from "../lib/error.ts";
import { WEBHOOKS } from "./observe.ts";
import type { HttpDeps } from "./types.ts";

declare module "fastify" {
  interface FastifySchema {
    /** The lowest role that may call it; a route that reads needs a viewer where nothing is given. */
    "x-role"?: Role;
    /** Error statuses besides those that follow from the route's shape. */
    "x-errors"?: readonly number[];
  }
}

/** A route that anyone may call. */
export const NO_CREDENTIALS = [] as const;
/** A route whose caller is checked as a sender of alerts. */
export const SENDER = [{}, { senderToken: [] }, { senderBasic: [] }] as const;
/** A route that reads Alertmanager's API: with a token or, where reads are open, as a sender. */
export const READER_CREDENTIALS = [{ token: [] }, { tokenAsPassword: [] }, ...SENDER] as const;
/** A route whose caller signs its body. */
export const SIGNED = [{ senderSignature: [] }, ...SENDER] as const;
/** Returns the name of the security scheme of a kind of source whose vendor has its own signature. */
export const signatureScheme = (kind: string) => `${kind}Signature`;

const PREFIX = "/api/v1";
const NAMES: Record<string, z.ZodType> = {
  Alert: alert,
  AlertResult: alertResult,
  Approval: approval,
  AuditEntry: auditEntry,
  AuditReport: auditReport,
  Decision: decision,
  Execution: execution,
  FreezeStatus: freezeStatus,
  Health: health,
  Incident: incident,
  Playbook: playbook,
  Problem: problem,
  Silence: silence,
  TimelineEvent: timelineEvent,
  Token: token,
  WebhookAnswer: webhookAnswer,
};

type Schema = NonNullable<RouteOptions["schema"]>;
type Json = Record<string, unknown>;

const CODES = Object.keys(ERRORS) as ErrorCode[];
const codesOf = (status: number) => CODES.filter((code) => ERRORS[code].status === status);

/** Returns the documented answer to an error of this status: a problem with one of the codes of that status. */
function problemAnswer(status: number): Json & { content: Json } {
  const codes = codesOf(status);
  const example = codes[0] as ErrorCode;
  const headers = {
    401: { "www-authenticate": { type: "string" } },
    503: { "retry-after": { description: "Seconds", type: "string", pattern: "^[0-9]+$" } },
  }[status];
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join("; "),
    ...(headers === undefined ? {} : { headers }),
    content: {
      "application/problem+json": {
        schema: {
          allOf: [
            { $ref: "#/components/schemas/Problem" },
            { type: "object", properties: { status: { const: status }, code: { enum: codes } } },
          ],
        },
        example: {
          type: `docs/reference/errors.md#${example}`,
          title: ERRORS[example].title,
          status,
          detail: `${ERRORS[example].title}.`,
          code: example,
        },
      },
    },
  };
}

/** Returns the error statuses that a route may answer with, by who may call it and what it accepts. */
function errorStatuses(schema: Schema, method: string, isWebhook: boolean): number[] {
  const writes = method !== "GET";
  const named = schema.params !== undefined;
  const takes = named || schema.querystring !== undefined || (schema.body !== undefined && !isWebhook);
  const open = schema.security?.length === 0;
  const own = writes && !isWebhook;
  return [
    ...(writes || named ? [400] : []),
    ...(writes ? [413] : []),
    ...(open ? [] : [401, 403]),
    ...(named ? [404] : []),
    ...(own ? [409, 415] : []),
    ...(takes ? [422] : []),
    ...(schema["x-errors"] ?? []),
    500,
    503,
  ];
}

/** Returns an operation's id: `POST /api/v1/approvals/:id/approve` is `post_approvals_id_approve`. */
const idOf = (method: string, url: string) =>
  `${method.toLowerCase()}${url.replace(PREFIX, "").replace(/[^a-z0-9]+/gi, "_")}`.replace(/_$/, "");

const tagOf = (url: string) => url.replace(PREFIX, "").split("/")[1] || "system";

function methodOf({ method }: RouteOptions): string {
  return [method].flat()[0] ?? "GET";
}

/** Documents a vendor's own error answer beside the problem that errors before the handler are answered with. */
function besideProblems(response: Json, errors: Record<string, ReturnType<typeof problemAnswer>>): Json {
  return Object.fromEntries(
    Object.entries(response).map(([status, schema]) => {
      const problem = errors[status];
      if (problem === undefined) return [status, schema];
      return [status, { ...problem, content: { ...problem.content, "application/json": { schema } } }];
    }),
  );
}

/** Removes schemas that no operation refers to: every schema also has a form for input, which is seldom used. */
function withoutUnused(document: Json): Json {
  const { components, ...rest } = document as Json & { components: { schemas: Record<string, Json> } };
  const found = new Set<string>();
  const visit = (part: unknown) => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/#\/components\/schemas\/([A-Za-z]+)/g)) {
      if (found.has(name)) continue;
      found.add(name);
      visit(components.schemas[name]);
    }
  };
  visit(rest);
  const used = Object.entries(components.schemas).filter(([name]) => found.has(name));
  return { ...rest, components: { ...components, schemas: Object.fromEntries(used) } };
}

type Operation = {
  operationId: string;
  summary?: string;
  requestBody?: Json;
  responses: Record<string, { description?: string }>;
};

/** Adds what the generator cannot know: descriptions of answers, and which bodies are optional. */
function complete(document: Json, optionalBodies: ReadonlySet<string>): Json {
  const paths = document.paths as Record<string, Record<string, Operation>>;
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    for (const response of Object.values(operation.responses))
      if (response.description === "Default Response") response.description = operation.summary ?? "Done";
    if (operation.requestBody !== undefined && optionalBodies.has(operation.operationId))
      operation.requestBody.required = false;
  }
  return withoutUnused(document);
}

/** Throws for a route without a response schema, which the document could not describe. */
function mustBeDescribed({ schema, url, method }: RouteOptions): void {
  if (schema?.hide === true || [method].flat().includes("HEAD")) return;
  if (schema?.response === undefined) throw new Error(`${method} ${url} has no schema of its answer`);
}

const info = (version: string) => ({
  title: "AWOOOI",
  version,
  description:
    "From alerts to one incident, a decision within 30 seconds, approval, repair and verification. Errors are RFC 9457 problems; their codes are in docs/reference/errors.md.",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
});

const SECURITY_SCHEMES = {
  token: { type: "http", scheme: "bearer", description: "A token of `awoooi tokens create`." },
  senderToken: { type: "http", scheme: "bearer", description: "One of `intake.bearer_tokens`." },
  senderSignature: {
    type: "apiKey",
    in: "header",
    name: "X-Signature-256",
    description:
      "`sha256=` and the HMAC-SHA256 of the raw body, in hexadecimal, under one of `intake.hmac_secrets`.",
  },
  tokenAsPassword: {
    type: "http",
    scheme: "basic",
    description: "The token as the password of any user, for clients without bearer tokens.",
  },
  senderBasic: { type: "http", scheme: "basic", description: "One of `intake.basic`." },
} as const;

/** Returns the security schemes of vendors that sign calls in their own way. */
const vendorSchemes = (kinds: readonly SourceKind[]) =>
  Object.fromEntries(
    kinds.flatMap(({ id, credentials }) => {
      if (typeof credentials === "string") return [];
      const { header: name, description } = credentials;
      return [[signatureScheme(id), { type: "apiKey" as const, in: "header", name, description }]];
    }),
  );

/**
 * Builds the OpenAPI document from the routes registered from now on, from the same schemas that validate requests and shape
 * answers. It is served at `/api/v1/openapi.json`.
 */
export async function describeRoutes(
  app: FastifyInstance,
  { version, sources }: { version: string; sources: Pick<HttpDeps["sources"], "kinds"> },
): Promise<void> {
  const securitySchemes = { ...SECURITY_SCHEMES, ...vendorSchemes(sources.kinds) };
  const schemaRegistry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMES)) schemaRegistry.add(schema, { id });
  const toJson = createJsonSchemaTransform({ schemaRegistry });
  const finish = createJsonSchemaTransformObject({ schemaRegistry });
  const optionalBodies = new Set<string>();
  app.addHook("onRoute", mustBeDescribed);
  await app.register(swagger, {
    openapi: { openapi: "3.1.0", info: info(version), components: { securitySchemes } },
    transform: (input) => {
      const { schema, url } = toJson(input as Parameters<typeof toJson>[0]);
      const given = input.schema;
      if (given === undefined || given.hide === true) return { schema: { hide: true }, url };
      const method = methodOf(input.route);
      const isWebhook = url.startsWith(`${WEBHOOKS}/`) || input.route.config?.webhook !== undefined;
      const statuses = errorStatuses(given, method, isWebhook);
      const errors = Object.fromEntries(statuses.map((status) => [status, problemAnswer(status)]));
      const { response, "x-errors": _, ...rest } = schema as Json & { response: Json };
      const operationId = idOf(method, url);
      if (given.body instanceof z.ZodOptional) optionalBodies.add(operationId);
      const role =
        given["x-role"] ?? (method === "GET" && given.security === undefined ? "viewer" : undefined);
      return {
        url,
        schema: {
          tags: [tagOf(url)],
          security: [{ token: [] }],
          operationId,
          ...rest,
          ...(role === undefined ? {} : { "x-role": role }),
          response: { ...errors, ...besideProblems(response, errors) },
        } as Schema,
      };
    },
    transformObject: (document) => complete(finish(document) as unknown as Json, optionalBodies) as never,
  });
}

/** Serves the document to anyone: it says nothing that the public source code does not. */
export function openapiRoutes(app: FastifyInstance): void {
  let document: string | undefined;
  app.get(`${PREFIX}/openapi.json`, {
    schema: {
      security: NO_CREDENTIALS,
      tags: ["system"],
      summary: "This document",
      response: { 200: z.record(z.string(), z.unknown()) },
    },
    serializerCompiler: () => (text) => text as string,
    handler: async (_request, reply) => {
      document ??= JSON.stringify(app.swagger());
      return reply.type("application/json").send(document);
    },
  });
}
