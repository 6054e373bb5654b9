import type { KubeConfig } from "@kubernetes/client-node";
import { type Dispatcher, httpClient, library } from "./library.ts";

type Create = (...asked: Parameters<KubeConfig["createDispatcherOptions"]>) => Dispatcher | undefined;

/** As the library has it: load balancers close what is idle for a minute. */
const ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000 };

/** More requests wait for one of these: an investigation asks for dozens of things at once. */
export const CONNECTIONS = 16;

/**
 * Has everything that is asked with this kubeconfig go over HTTP/1.1. Over HTTP/2, aborting requests that have a body
 * can make Node 24 send empty frames for ever (`nghttp2_session_mem_send`), and nothing else of the process runs any more.
 */
export function overHttp1(kubeConfig: KubeConfig): KubeConfig {
  const { Agent, ProxyAgent } = httpClient();
  const bounds = { allowH2: false, connections: CONNECTIONS };
  // Hidden by its types, and the only place where that can be said: a test asks a server what it was spoken to in.
  const { createDispatcher: theirs } = library().KubeConfig.prototype as unknown as {
    createDispatcher: Create;
  };
  const createDispatcher: Create = (cluster, tls) => {
    const options = kubeConfig.createDispatcherOptions(cluster, tls);
    switch (options.type) {
      // Its tunnel offers no HTTP/2.
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
      // Without options the library would take the client's common agent, which has no bounds of ours.
      default:
        return new Agent({ ...bounds, connect: options.type === "agent" ? options.connect : ALIVE });
    }
  };
  return Object.assign(kubeConfig, { createDispatcher });
}
