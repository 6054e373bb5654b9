import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Agent, request as secureRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { clearFolder, temporaryFolder } from "../folder.ts";
import type { Cluster } from "./cluster.ts";

/** What becomes of a request: passed on, its connection cut before or after that, or another answer. */
export type Fault =
  | "pass"
  | "cut before"
  | "cut after"
  | { status: number; headers?: Record<string, string> };

export type FaultyProxy = {
  /** Path of a kubeconfig that goes through it, with the administrator's rights. */
  kubeconfig: string;
  /** Asked for every request; waits for what it returns. */
  judge: (method: string, path: string) => Fault | Promise<Fault>;
  stop(): Promise<void>;
};

const bodyOf = async (incoming: IncomingMessage) => Buffer.concat(await incoming.toArray());

/** An unreliable network before a real API server. */
export async function startFaultyProxy(cluster: Cluster): Promise<FaultyProxy> {
  const { token } = cluster.admin.getCurrentUser() ?? {};
  const agent = new Agent({ ca: cluster.certificate.cert, keepAlive: false });
  const forward = (incoming: IncomingMessage, body: Buffer) =>
    new Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }>((resolve, reject) => {
      const { host: _, ...headers } = incoming.headers;
      const options = {
        method: incoming.method,
        agent,
        headers: { ...headers, authorization: `Bearer ${token}` },
      };
      const outgoing = secureRequest(`${cluster.url}${incoming.url}`, options, async (answer) => {
        resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: await bodyOf(answer) });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  const serve = async (incoming: IncomingMessage, answer: ServerResponse) => {
    const body = await bodyOf(incoming);
    const fault = await proxy.judge(incoming.method ?? "", incoming.url ?? "");
    if (fault === "cut before") return void incoming.socket.destroy();
    if (typeof fault === "object") return void answer.writeHead(fault.status, fault.headers).end();
    const { status, headers, body: said } = await forward(incoming, body);
    if (fault === "cut after") return void incoming.socket.destroy();
    answer.writeHead(status, headers).end(said);
  };
  const server = createServer((incoming, answer) => {
    serve(incoming, answer).catch(() => incoming.socket.destroy());
  });
  // Else it closes a connection that is used again at the same moment.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const folder = await temporaryFolder("proxy");
  const kubeconfig = join(folder, "kubeconfig");
  const settings = {
    clusters: [
      { name: "proxy", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "proxy", user: {} }],
    contexts: [{ name: "proxy", context: { cluster: "proxy", user: "proxy" } }],
    "current-context": "proxy",
  };
  await writeFile(kubeconfig, JSON.stringify(settings));
  const proxy: FaultyProxy = {
    kubeconfig,
    judge: () => "pass",
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await clearFolder(folder);
    },
  };
  return proxy;
}
