import type {
  AppsV1Api,
  AuthorizationV1Api,
  AutoscalingV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  Configuration,
  ConfigurationOptions,
  CoreV1Api,
  HttpMethod,
  KubeConfig,
  PolicyV1Api,
  RequestContext,
  ResponseContext,
} from "@kubernetes/client-node";
import { AwoooiError, type FieldError } from "../../../../lib/error.ts";
import { isCleanPath } from "../../../../lib/url-path.ts";
import { Authentication } from "./authentication.ts";
import { type ClusterConfig, clustersOf, type KubernetesConfig } from "./config.ts";
import { Discovery } from "./discovery.ts";
import { loadKubeConfig } from "./kubeconfig.ts";
import { library } from "./library.ts";
import type { RawRequest } from "./raw-request.ts";

/** A cluster and the clients of its API. Every request is bounded by `request_timeout`. */
export type Cluster = {
  name: string;
  /** The URL of its API server, and the proxy and TLS name by which it is reached. */
  address: { server: string; proxy: string | undefined; tls_server_name: string | undefined };
  core: CoreV1Api;
  apps: AppsV1Api;
  batch: BatchV1Api;
  /** Not every cluster has this version: see `discovery`. */
  autoscaling: AutoscalingV2Api;
  autoscalingV1: AutoscalingV1Api;
  policy: PolicyV1Api;
  auth: AuthorizationV1Api;
  /** Creates any other API class of the library, bound to this cluster. */
  api<T>(type: new (configuration: Configuration) => T): T;
  /** Sends a request and returns the JSON of the answer. Throws as the API classes do: see `failureOf`. */
  raw<T>(request: RawRequest): Promise<T>;
  rawText(request: RawRequest): Promise<string>;
  /** The API groups, versions and resources that it has. */
  discovery: Discovery;
};

export type Clusters = {
  /** The first is the default. */
  names: readonly string[];
  /** Returns the cluster of this name or alias, or without a name the default; undefined if there is none. */
  of(name?: string): Cluster | undefined;
};

/** Returns the option that aborts a call of the library's API classes when `signal` is aborted. */
export function during(signal: AbortSignal): ConfigurationOptions {
  const { Observable } = library();
  return {
    middlewareMergeStrategy: "append",
    middleware: [
      {
        pre: (context) => new Observable(Promise.resolve(endsWith(context, signal))),
        post: (context) => new Observable(Promise.resolve(context)),
      },
    ],
  };
}

function endsWith(context: RequestContext, signal: AbortSignal | undefined): RequestContext {
  const own = context.getSignal();
  if (signal !== undefined) context.setSignal(own === undefined ? signal : AbortSignal.any([own, signal]));
  return context;
}

/**
 * Returns the server configuration for all requests, the library's own too. It answers unclean paths with 404: names
 * come from alerts, the library lets `..` through, the API server an encoded `/`, and no object has such a name.
 */
function serverAt(url: string) {
  const { ServerConfiguration, ApiException } = library();
  const server = new ServerConfiguration(url, {});
  const make = server.makeRequestContext.bind(server);
  server.makeRequestContext = (path, method) => {
    if (isCleanPath(path)) return make(path, method);
    const status = { reason: "NotFound", message: "not a valid object name" };
    throw new ApiException(404, "", JSON.stringify(status), {});
  };
  return server;
}

function connect(name: string, kubeConfig: KubeConfig, requestTimeout: number): Cluster {
  const lib = library();
  const { server: url = "", proxyUrl, tlsServerName } = kubeConfig.getCurrentCluster() ?? {};
  const server = serverAt(url);
  const authentication = new Authentication(kubeConfig, requestTimeout);
  const configuration = lib.createConfiguration({
    baseServer: server,
    authMethods: { default: authentication },
  });
  const http = new lib.IsomorphicFetchHttpLibrary();
  const send = async (request: RawRequest): Promise<ResponseContext> => {
    const { method = "GET", path, query = {}, body, type = "application/json", accept, signal } = request;
    const context = server.makeRequestContext(path, method as HttpMethod);
    for (const [key, value] of Object.entries(query))
      if (value !== undefined) context.setQueryParam(key, String(value));
    context.setHeaderParam("Accept", accept ?? "application/json");
    if (body !== undefined) {
      context.setHeaderParam("Content-Type", type);
      context.setBody(JSON.stringify(body));
    }
    await authentication.applySecurityAuthentication(context);
    const response = await http.send(endsWith(context, signal)).toPromise();
    if (response.httpStatusCode < 300) return response;
    const said = await response.body.text();
    throw new lib.ApiException(response.httpStatusCode, "", said, response.headers);
  };
  const raw = async <T>(request: RawRequest) => JSON.parse(await (await send(request)).body.text()) as T;
  const api = <T>(type: new (configuration: Configuration) => T) => new type(configuration);
  return {
    name,
    address: { server: url, proxy: proxyUrl, tls_server_name: tlsServerName },
    core: api(lib.CoreV1Api),
    apps: api(lib.AppsV1Api),
    batch: api(lib.BatchV1Api),
    autoscaling: api(lib.AutoscalingV2Api),
    autoscalingV1: api(lib.AutoscalingV1Api),
    policy: api(lib.PolicyV1Api),
    auth: api(lib.AuthorizationV1Api),
    api,
    raw,
    rawText: async (request) => (await send(request)).body.text(),
    discovery: new Discovery(raw),
  };
}

/** Returns the configured clusters without connecting to them. Throws `invalid` with every fault. */
export function createClusters(config: KubernetesConfig): Clusters {
  const single = config.clusters.length === 0;
  const loaded = clustersOf(config).map((one, index) => ({
    one,
    path: single ? "kubernetes" : `kubernetes.clusters.${index}`,
    result: loadKubeConfig(one),
  }));
  const errors = loaded.flatMap(({ path, result }): FieldError[] =>
    result.ok ? [] : [{ path, message: result.error }],
  );
  if (errors.length > 0) {
    throw new AwoooiError("invalid", "a cluster's configuration is not valid", { errors });
  }
  const found = new Map<string, Cluster>();
  const names: string[] = [];
  for (const { one, result } of loaded) {
    if (!result.ok) continue;
    const cluster = connect(result.name, result.kubeConfig, config.request_timeout);
    names.push(cluster.name);
    for (const name of namesOf(cluster.name, one)) found.set(name, cluster);
  }
  return { names, of: (name) => found.get(name ?? names[0] ?? "") };
}

const namesOf = (name: string, { aliases }: ClusterConfig): string[] => [name, ...aliases];
