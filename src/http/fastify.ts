/** Fastify as every route of ours sees it: with types from schemas, and with what a request carries. */
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Ctx } from "../db/ctx.ts";
import type { ErrorCode } from "../lib/error.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The caller's context; there on every route that needs a token. */
    ctx: Ctx;
    /** Who sent a call of a webhook, as soon as that is known before its body is read. */
    sender: string | null;
    /** The code of the error that it is answered with. */
    problem: ErrorCode | null;
  }
  interface FastifyContextConfig {
    /** Of the routes that take alerts: which of them it is. */
    webhook?: string;
  }
}

export type App = FastifyInstance;

/** The app with the types of requests and answers derived from the schemas of its routes. */
export const typed = (app: FastifyInstance) => app.withTypeProvider<ZodTypeProvider>();
export type ApiApp = ReturnType<typeof typed>;
