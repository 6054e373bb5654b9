// The parts of the SDK that are used. Loaded at the first request to a server: loading takes 0.2 s of CPU time, and
// most installations have no MCP server.
export { Client } from "@modelcontextprotocol/sdk/client/index.js";
export { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
export { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
export { CallToolResultSchema, ListToolsResultSchema, McpError } from "@modelcontextprotocol/sdk/types.js";
export { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
