import type { Executor } from "../../../execution/index.ts";
import { needsRestart } from "../../../lib/setting.ts";
import { type McpConfig, mcpConfig } from "./config.ts";
import { Connection, type Deps } from "./connection.ts";
import { createExecutor } from "./executor.ts";

/** Executor for tools of MCP servers, which are started or connected on first use and ended by `close`. */
export type McpTools = { executor: Executor; close(): Promise<void> };

function create({ servers }: McpConfig, deps: Deps): McpTools {
  const connections = new Map(servers.map((one) => [one.name, new Connection(one, deps)]));
  return {
    executor: createExecutor(connections),
    close: async () => {
      await Promise.allSettled([...connections.values()].map((one) => one.stop()));
    },
  };
}

const DESCRIPTION =
  "servers of tools (Model Context Protocol), and the tools that may be called; other tools that a server offers are never called; the scope of a tool is set here, never by its server; a program is started when it is first needed";

const LOOPBACK = /^(127\.|::1$|localhost$)/;

function problems({ servers }: McpConfig) {
  return servers.flatMap(({ url, headers }, index) => {
    const { protocol = "", hostname = "" } = URL.parse(url ?? "") ?? {};
    const open = protocol === "http:" && !LOOPBACK.test(hostname.replace(/^\[|\]$/g, ""));
    if (!open || Object.keys(headers).length === 0) return [];
    return [
      { path: `servers.${index}.url`, message: "its headers are sent unencrypted: use https", fatal: false },
    ];
  });
}

/** Calls the tools of MCP servers that the configuration lists. */
export const mcp = {
  id: "mcp",
  settings: { path: "mcp", schema: needsRestart(mcpConfig.prefault({})).describe(DESCRIPTION) },
  problems,
  names: ({ servers }: McpConfig) => ({
    tools: servers.flatMap((server) => server.tools.map((tool) => `${server.name}/${tool.name}`)),
  }),
  create,
};
