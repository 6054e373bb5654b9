/** Fastify as all routes use it: with types from schemas, and with the properties that a request carries. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Ctx } from "../db/ctx.ts";
import type { ErrorCode } from "../lib/error.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The caller's context; present on every route that needs a token. */
    ctx: Ctx;
    /** The sender of a webhook call, where it is known before the body is read. */
    sender: string | null;
    /** The code of the error that the request is answered with. */
    problem: ErrorCode | null;
  }
  interface FastifyContextConfig {
    /** The name of the webhook, on routes that accept alerts. */
    webhook?: string;
  }
}

export type App = FastifyInstance;

/** Returns the app with the types of requests and answers derived from the routes' schemas. */
export const withZodTypes = (app: FastifyInstance) => app.withTypeProvider<ZodTypeProvider>();
export type ApiApp = ReturnType<typeof withZodTypes>;
