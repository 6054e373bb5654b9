import { z } from "zod";
import { risk } from "../../../contract/common.ts";
import { secret } from "../../../lib/secret-setting.ts";
import { toolName, toolServerName } from "../../../operation/index.ts";

// The operating system ends a string at a NUL: the rest would be lost silently.
const text = z.string().refine((value) => !value.includes("\0"), "must not contain NUL");

/** A tool's scope and risk, as set by the operator; what its server claims is ignored. */
const tool = z.strictObject({
  name: toolName,
  scope: z.enum(["read", "write", "admin"]),
  /** Default by scope: low for read, medium for write, high for admin. */
  risk: risk.optional(),
  /** Whether calling it twice has the same effect as calling it once. */
  idempotent: z.boolean().default(false),
  description: z.string().max(500).optional(),
});
export type ToolConfig = z.infer<typeof tool>;

const OVER_HTTP = "goes with `url`, and a `command` has `args`, `env` and `cwd`";

/** An MCP server: a program that AWOOOI starts, or a server reached over HTTP. */
const mcpServer = z
  .strictObject({
    name: toolServerName,
    enabled: z.boolean().default(true),
    /** A program that speaks MCP on stdin and stdout; run without a shell. */
    command: text.min(1).optional(),
    args: secret(z.array(text), "command").default([]),
    /** Added to PATH, HOME, SHELL, TERM, USER and LOGNAME; nothing else of AWOOOI's environment is passed on. */
    env: secret(
      z.record(text.regex(/^[A-Za-z_]\w*$/, "is not a name of an environment variable"), text),
      "environment",
    ).default({}),
    cwd: text.min(1).optional(),
    /** Address of a server that speaks streamable HTTP. */
    url: z
      .url({ protocol: /^https?$/ })
      .refine((url) => !/^[a-z]+:\/\/[^/?#]*@/i.test(url), "must not contain a user name or password")
      .optional(),
    headers: secret(
      z.record(z.string().regex(/^[\w-]+$/, "is not the name of a header"), text.regex(/^[^\r\n]*$/)),
      "headers",
    ).default({}),
    /** Timeout of one request or call. */
    timeout_ms: z.number().int().min(100).max(600_000).default(30_000),
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
