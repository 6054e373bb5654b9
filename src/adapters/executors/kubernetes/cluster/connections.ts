import type { KubeConfig } from "@kubernetes/client-node";
import { type Dispatcher, httpClient, library } from "./library.ts";

type Create = (...asked: Parameters<KubeConfig["createDispatcherOptions"]>) => Dispatcher | undefined;

/** The library's own keep-alive, because load balancers close connections that are idle for a minute. */
const ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000 };

/** Connections per cluster. Further requests wait: an investigation sends dozens at once. */
export const CONNECTIONS = 16;

/**
 * Makes all requests with this kubeconfig use HTTP/1.1, and returns it. Over HTTP/2, aborting requests that have a body
 * can make Node 24 send empty frames for ever (`nghttp2_session_mem_send`), which blocks the whole process.
 */
export function overHttp1(kubeConfig: KubeConfig): KubeConfig {
  const { Agent, ProxyAgent } = httpClient();
  const bounds = { allowH2: false, connections: CONNECTIONS };
  // Not in the library's types, but the only place to set this. A test checks which protocol a server sees.
  const { createDispatcher: theirs } = library().KubeConfig.prototype as unknown as {
    createDispatcher: Create;
  };
  const createDispatcher: Create = (cluster, tls) => {
    const options = kubeConfig.createDispatcherOptions(cluster, tls);
    switch (options.type) {
      // The SOCKS tunnel offers no HTTP/2.
      case "socks":
        return theirs.call(kubeConfig, cluster, tls);
      case "proxy": {
        const { uri, connect, requestTls } = options;
        const own = { allowH2: false };
        return new ProxyAgent({
          ...bounds,
          uri,
          connect,
          proxyTls: own,
          requestTls: { ...requestTls, ...own },
        });
      }
      // Without options the library would use undici's global agent, which does not have our bounds.
      default:
        return new Agent({ ...bounds, connect: options.type === "agent" ? options.connect : ALIVE });
    }
  };
  return Object.assign(kubeConfig, { createDispatcher });
}
