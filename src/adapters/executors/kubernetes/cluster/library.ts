import { createRequire } from "node:module";

type Library = typeof import("@kubernetes/client-node");
export type Dispatcher = NonNullable<
  ReturnType<import("@kubernetes/client-node").RequestContext["getDispatcher"]>
>;
/** What is used of undici. Its options are not those of the library's types, which have `undefined` in them. */
type HttpClient = Record<"Agent" | "ProxyAgent", new (options: object) => Dispatcher>;

const load = createRequire(import.meta.url);

/**
 * The client library. It takes half a second and 80 MB: only who has a cluster pays for that, so nothing
 * imports more than its types.
 */
export function library(): Library {
  return load("@kubernetes/client-node") as Library;
}

/** The HTTP client that the library asks through, the very copy that it has: it takes the agents of no other. */
export function httpClient(): HttpClient {
  return createRequire(load.resolve("@kubernetes/client-node"))("undici") as HttpClient;
}
