export type { HttpMeter } from "./observe.ts";
export { describeRoutes } from "./openapi.ts";
export { type App, createServer } from "./server.ts";
export type { HttpDeps } from "./types.ts";
