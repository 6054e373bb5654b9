import type { Executor } from "../../../execution/index.ts";
import { type McpConfig, mcpConfig } from "./config.ts";
import { Connection, type Deps } from "./connection.ts";
import { createExecutor } from "./executor.ts";

/** Tools of MCP servers: started or reached when they are first needed, and ended by `stop`. */
export type McpTools = { executor: Executor; stop(): Promise<void> };

function create({ servers }: McpConfig, deps: Deps): McpTools {
  const connections = new Map(servers.map((one) => [one.name, new Connection(one, deps)]));
  return {
    executor: createExecutor(connections),
    stop: async () => {
      await Promise.allSettled([...connections.values()].map((one) => one.stop()));
    },
  };
}

/** Calls tools that MCP servers offer, as far as the configuration lists them. */
export const mcp = {
  id: "mcp",
  config: mcpConfig,
  create,
};
