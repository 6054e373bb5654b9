export type { App } from "./fastify.ts";
export type { HttpMeter } from "./observe.ts";
export { describeRoutes } from "./openapi.ts";
export { createServer } from "./server.ts";
export type { HttpDeps } from "./types.ts";
