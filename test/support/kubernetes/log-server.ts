import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { V1Pod } from "@kubernetes/client-node";
import type { Certificate } from "./control-plane.ts";

/** What a container has written; `previous` is what it wrote before it was last restarted. */
export type LogsOf = (pod: V1Pod, container: string, previous: boolean) => string | undefined;

export type LogServer = { port: number; stop(): Promise<void> };

/** The part of a kubelet that the API server asks for logs. */
export async function startLogServer(
  certificate: Certificate,
  find: (namespace: string, name: string) => V1Pod | undefined,
  logs: LogsOf,
): Promise<LogServer> {
  const server = createServer(certificate, (request, response) => {
    const url = new URL(request.url ?? "", "https://127.0.0.1");
    const [, route, namespace = "", name = "", container = ""] = url.pathname.split("/");
    const pod = route === "containerLogs" ? find(namespace, name) : undefined;
    const answer = pod && answerOf(pod, container, url.searchParams, logs);
    response.writeHead(answer?.status ?? 404, { "content-type": "text/plain" });
    response.end(answer?.text ?? `pod "${name}" not found\n`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answerOf(pod: V1Pod, container: string, query: URLSearchParams, logs: LogsOf) {
  const status = pod.status?.containerStatuses?.find(({ name }) => name === container);
  const previous = query.get("previous") === "true";
  const of = `container "${container}" in pod "${pod.metadata?.name}"`;
  if (previous && !status?.lastState?.terminated)
    return { status: 400, text: `previous terminated ${of} not found` };
  const reason = status?.state?.waiting?.reason;
  // A container that waits for its restart still has what it wrote before.
  if (!previous && reason !== undefined && !status?.lastState?.terminated)
    return { status: 400, text: `${of} is waiting to start: ${reason}` };
  return { status: 200, text: tail(logs(pod, container, previous) ?? "", query) };
}

/** The last lines, and of these the first bytes, as they are asked for. */
function tail(text: string, query: URLSearchParams): string {
  const lines = text.split(/(?<=\n)/);
  const [count, bytes] = [query.get("tailLines"), query.get("limitBytes")];
  const last = count === null ? lines : lines.slice(Math.max(lines.length - Number(count), 0));
  const all = Buffer.from(last.join(""));
  return (bytes === null ? all : all.subarray(0, Number(bytes))).toString();
}
