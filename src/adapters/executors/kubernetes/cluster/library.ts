import { createRequire } from "node:module";

type Library = typeof import("@kubernetes/client-node");
export type Dispatcher = NonNullable<
  ReturnType<import("@kubernetes/client-node").RequestContext["getDispatcher"]>
>;
/** The part of undici that is used. Its option types reject the `undefined` values of the library's types. */
type HttpClient = Record<"Agent" | "ProxyAgent", new (options: object) => Dispatcher>;

const load = createRequire(import.meta.url);

/**
 * Loads the client library on first use. It takes half a second and 80 MB, needed only with a cluster, so import
 * nothing but its types.
 */
export function library(): Library {
  return load("@kubernetes/client-node") as Library;
}

/** Loads the library's own copy of undici: it accepts agents of no other copy. */
export function httpClient(): HttpClient {
  return createRequire(load.resolve("@kubernetes/client-node"))("undici") as HttpClient;
}
