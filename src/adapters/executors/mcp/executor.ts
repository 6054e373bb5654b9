import type { Check } from "../../../contract/approval.ts";
import type { Risk } from "../../../contract/common.ts";
import type {
  ActResult,
  DryRun,
  Executor,
  OwnTraits,
  Resolution,
  ToolReport,
} from "../../../execution/index.ts";
import { type Operation, type Scope, toolName } from "../../../operation/index.ts";
import { argumentsGap, schemaHash } from "./arguments.ts";
import type { ToolConfig } from "./config.ts";
import { type Connection, NotSent } from "./connection.ts";
import { contentText, errorText } from "./content.ts";

type ToolCall = Extract<Operation, { kind: "tool.call" }>;

const RISK: Record<Scope, Risk> = { read: "low", write: "medium", admin: "high" };

const traitsOfTool = ({ scope, risk = RISK[scope], idempotent }: ToolConfig): OwnTraits => ({
  scope,
  risk,
  idempotent,
});

const mustBeCall = (operation: Operation): ToolCall => {
  if (operation.kind === "tool.call") return operation;
  throw new Error(`${operation.kind} is not a tool call`);
};

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

function resolved(
  operation: ToolCall,
  offered: ReadonlyMap<string, Parameters<typeof schemaHash>[0]>,
): Resolution {
  const { name, host } = operation.target;
  const tool = offered.get(name);
  if (tool !== undefined) {
    const schema = operation.parameters.schema ?? schemaHash(tool);
    return { result: "hit", exact: { ...operation, parameters: { ...operation.parameters, schema } } };
  }
  const close = [...offered.keys()].filter(
    (other) => plain(other) === plain(name) && toolName.safeParse(other).success,
  );
  if (close.length > 0) return { result: "suggestion", names: close };
  return { result: "miss", message: `the server ${host} has no tool ${name}` };
}

const CHANGED = "the arguments that the tool takes have changed since the plan was made";

/** Creates the executor that calls the configured tools of the configured MCP servers. */
export function createExecutor(connections: ReadonlyMap<string, Connection>): Executor {
  const serverOf = (operation: ToolCall): Connection => {
    const connection = connections.get(operation.target.host);
    if (connection === undefined) throw new Error(`no server ${operation.target.host} is configured`);
    return connection;
  };

  /** Awaits a request to the server; an error is thrown again with its text redacted and shortened. */
  async function ask<T>(asking: Promise<T>): Promise<T> {
    return asking.catch((error: unknown) => {
      throw new Error(errorText(error));
    });
  }

  /** Returns why the call must not be made: tool missing, schema changed, or arguments invalid; null: it may. */
  async function gapOf(operation: ToolCall, signed: string | undefined, signal?: AbortSignal) {
    const tool = (await serverOf(operation).tools(signal)).get(operation.target.name);
    if (tool === undefined) return `not found: the server has no tool ${operation.target.name}`;
    if (signed !== undefined && signed !== schemaHash(tool)) return `invalid: ${CHANGED}`;
    return argumentsGap(tool, operation.parameters.arguments);
  }

  async function dryRun(asked: Operation): Promise<DryRun> {
    const operation = mustBeCall(asked);
    const { schema, arguments: given } = operation.parameters;
    const tool = (await ask(serverOf(operation).tools())).get(operation.target.name);
    const answers: Check = { name: "server", passed: tool !== undefined, message: "offers the tool" };
    if (tool === undefined) return { checks: [{ ...answers, message: "does not have the tool" }] };
    const same = schema === undefined || schema === schemaHash(tool);
    const gap = await argumentsGap(tool, given);
    return {
      checks: [
        answers,
        { name: "tool", passed: same, message: same ? "argument schema unchanged" : CHANGED },
        { name: "arguments", passed: gap === null, message: gap ?? "match the server's schema" },
      ],
    };
  }

  async function act(
    asked: Operation,
    before: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<ActResult> {
    const operation = mustBeCall(asked);
    const { schema, arguments: given } = operation.parameters;
    const seen = typeof before.schema === "string" ? before.schema : undefined;
    try {
      const gap = await gapOf(operation, schema ?? seen, signal);
      if (gap !== null) return { ok: false, error: gap, sent: false };
    } catch (error) {
      return { ok: false, error: errorText(error), sent: false };
    }
    try {
      const answer = await serverOf(operation).call(operation.target.name, given, signal);
      const text = contentText(answer);
      return answer.isError === true ? { ok: false, error: text, sent: true } : { ok: true, output: text };
    } catch (error) {
      return { ok: false, error: errorText(error), sent: !(error instanceof NotSent) };
    }
  }

  async function reportOf(connection: Connection): Promise<ToolReport[]> {
    const { name: provider, tools, enabled } = connection.config;
    const offered = enabled ? await connection.tools().catch((error: unknown) => errorText(error)) : null;
    return tools.map((tool) => {
      const has = offered === null || typeof offered === "string" ? null : offered.has(tool.name);
      const missing = has === false ? "the server does not have this tool" : null;
      return {
        ...traitsOfTool(tool),
        tool: `${provider}/${tool.name}`,
        kind: "tool.call",
        provider,
        enabled,
        description: tool.description ?? null,
        reachable: offered === null ? null : (has ?? false),
        detail: typeof offered === "string" ? offered : missing,
      };
    });
  }

  return {
    id: "mcp",
    kinds: ["tool.call"],
    traits(operation) {
      if (operation.kind !== "tool.call") return undefined;
      const { host, name } = operation.target;
      const config = connections.get(host)?.config;
      const tool = config?.enabled ? config.tools.find((one) => one.name === name) : undefined;
      return tool && traitsOfTool(tool);
    },
    configuration(operation) {
      if (operation.kind !== "tool.call") return undefined;
      const config = connections.get(operation.target.host)?.config;
      const tool = config?.tools.find((one) => one.name === operation.target.name);
      if (config === undefined || tool === undefined) return undefined;
      const { command, args, env, cwd, url } = config;
      // Without headers: they hold credentials, which change without the tool changing.
      return { command, args, env, cwd, url, ...traitsOfTool(tool) };
    },
    tools: async () => (await Promise.all([...connections.values()].map(reportOf))).flat(),
    async resolve(asked) {
      const operation = mustBeCall(asked);
      try {
        return resolved(operation, await serverOf(operation).tools());
      } catch (error) {
        return { result: "error", message: `the server cannot be reached: ${errorText(error)}` };
      }
    },
    dryRun,
    async snapshot(asked) {
      const operation = mustBeCall(asked);
      const connection = serverOf(operation);
      const tool = (await ask(connection.tools())).get(operation.target.name);
      const server = await ask(connection.version());
      return {
        schema: tool === undefined ? null : schemaHash(tool),
        server: server === null ? null : errorText(server),
      };
    },
    act: (operation, run, signal) => act(operation, run.before, signal),
    // Only the server could know, and MCP has no request for that.
    effect: async () => "cannot_tell",
    undo: () => ({ ok: false, reason: "undoing a tool call is not supported" }),
  };
}
