import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { mcpTools } from "./mcp-tools.ts";

export type McpHttp = { url: string; port: number; stop(): Promise<void> };

/** The same tools over streamable HTTP; without the header `Authorization: Bearer TOKEN` it answers 401. */
export async function startMcpHttp(file: string, token: string, port = 0): Promise<McpHttp> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        sessions.set(id, transport);
      },
    });
    const exit = () => server.closeAllConnections();
    await mcpTools({ file, exit }).connect(transport as Transport);
    return transport;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    const id = request.headers["mcp-session-id"];
    const transport = id === undefined ? await open() : sessions.get(String(id));
    if (transport === undefined) response.writeHead(404).end();
    else await transport.handleRequest(request, response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}/mcp`,
    port: bound,
    async stop() {
      await Promise.all([...sessions.values()].map((one) => one.close()));
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
