import { z } from "zod";
import { risk } from "../../../contract/common.ts";
import { alternative, example, secret } from "../../../lib/setting.ts";
import { toolName, toolServerName } from "../../../operation/index.ts";

// The operating system ends a string at a NUL: the rest would be lost silently.
const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");

/** A tool's scope and risk, as set by the operator; what its server claims is ignored. */
const tool = z.strictObject({
  name: example(toolName, "create_issue"),
  scope: example(z.enum(["read", "write", "admin"]), "write").describe(
    "read needs no approval; write and admin need an approval for each call",
  ),
  risk: risk.optional().describe("default: low for read, medium for write, high for admin"),
  idempotent: z
    .boolean()
    .default(false)
    .describe("true: calling it twice does no harm, so it may be retried"),
  description: example(z.string().max(500).optional(), "Opens an issue"),
});
export type ToolConfig = z.infer<typeof tool>;

const OVER_HTTP = "does not fit: `headers` go with `url`; `args`, `env` and `cwd` go with `command`";

/** An MCP server: a program that AWOOOI starts, or a server reached over HTTP. */
const mcpServer = z
  .strictObject({
    name: example(toolServerName, "github"),
    enabled: z.boolean().default(true),
    command: example(text.min(1).optional(), "github-mcp-server").describe(
      "a program that speaks MCP on its standard input and output; no shell",
    ),
    args: example(secret(z.array(text), "command").default([]), ["stdio"]),
    env: example(
      secret(
        z.record(text.regex(/^[A-Za-z_]\w*$/, "is not a valid name of an environment variable"), text),
        "environment",
      ).default({}),
      { GITHUB_PERSONAL_ACCESS_TOKEN: "…" },
    ).describe(
      "added to PATH, HOME, SHELL, TERM, USER and LOGNAME; no other variable of the server is passed on",
    ),
    cwd: example(text.min(1).optional(), "/srv/tools"),
    url: alternative(
      example(
        z
          .url({ protocol: /^https?$/ })
          .refine((url) => !/^[a-z]+:\/\/[^/?#]*@/i.test(url), "must not contain a user name or password")
          .optional(),
        "https://tools.example.com/mcp",
      ),
    ).describe("instead of command, args, env and cwd: a server that speaks streamable HTTP"),
    headers: alternative(
      example(
        secret(
          z.record(z.string().regex(/^[\w-]+$/, "is not a valid header name"), text.regex(/^[^\r\n]*$/)),
          "headers",
        ).default({}),
        { Authorization: "Bearer …" },
      ),
    ).describe("with url"),
    timeout_ms: z.number().int().min(100).max(600_000).default(30_000).describe("of one request or call"),
    tools: z
      .array(tool)
      .default([])
      .refine(
        (list) => new Set(list.map((one) => one.name)).size === list.length,
        "two tools have the same name",
      ),
  })
  .refine((one) => (one.command === undefined) !== (one.url === undefined), "needs either command or url")
  .refine((one) => one.command === undefined || Object.keys(one.headers).length === 0, {
    path: ["headers"],
    message: OVER_HTTP,
  })
  .refine((one) => one.url === undefined || (one.args.length === 0 && one.cwd === undefined), OVER_HTTP)
  .refine((one) => one.url === undefined || Object.keys(one.env).length === 0, {
    path: ["env"],
    message: OVER_HTTP,
  });
export type McpServer = z.infer<typeof mcpServer>;

export const mcpConfig = z.strictObject({
  servers: z
    .array(mcpServer)
    .default([])
    .refine(
      (list) => new Set(list.map((one) => one.name)).size === list.length,
      "two servers have the same name",
    ),
});
export type McpConfig = z.infer<typeof mcpConfig>;
