import { appendFileSync } from "node:fs";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { mcpTools } from "./mcp-tools.ts";

// A process of its own: `node mcp-stdio.ts TRACE`.
const file = process.argv[2] ?? "";
appendFileSync(file, `started ${process.pid}\n`);
process.stderr.write("ready, token=hunter2-S3cr3t\n");
await mcpTools({ file, exit: (code) => process.exit(code) }).connect(new StdioServerTransport());
