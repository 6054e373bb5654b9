import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { CallToolResult, Tool } from "@modelcontextprotocol/sdk/types.js";
import { messageOf } from "../../../lib/error.ts";
import type { Log } from "../../../lib/log.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { McpServer } from "./config.ts";
import { logStderr } from "./stderr.ts";

// Limit of one message or answer; far less of it is shown to people.
const MAX_BYTES = 1024 * 1024;
const MAX_PAGES = 20;

const sdk = () => import("./sdk.ts");

export type Deps = { log: Log; version: string };

/** Connection to an MCP server: opened at the first request, and again after it was lost. */
export class Connection {
  readonly config: McpServer;
  readonly #deps: Deps;
  #open: Promise<Client> | null = null;
  #newest: Client | null = null;
  #stopped = false;

  constructor(config: McpServer, deps: Deps) {
    this.config = config;
    this.#deps = deps;
  }

  /** Lists the server's tools by name. Throws when that fails; the next request connects again. */
  async tools(signal?: AbortSignal): Promise<Map<string, Tool>> {
    const client = await this.#client();
    const { ListToolsResultSchema } = await sdk();
    const found = new Map<string, Tool>();
    try {
      let cursor: string | undefined;
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const params = cursor === undefined ? {} : { cursor };
        const request = { method: "tools/list" as const, params };
        const answer = await client.request(request, ListToolsResultSchema, this.#options(signal));
        for (const tool of answer.tools) found.set(tool.name, tool);
        cursor = answer.nextCursor;
        if (cursor === undefined) break;
      }
      return found;
    } catch (error) {
      await this.#drop(client);
      throw error;
    }
  }

  /** Calls a tool. Throws {@link NotSent} only when the server did not get the call or refused it by its HTTP status. */
  async call(name: string, given: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult> {
    const client = await this.#client().catch((error: unknown) => {
      throw new NotSent(messageOf(error), { cause: error });
    });
    const { CallToolResultSchema, McpError } = await sdk();
    const request = { method: "tools/call" as const, params: { name, arguments: given } };
    try {
      // The client's own `callTool` would throw for an answer that does not fit the tool's output schema.
      return await client.request(request, CallToolResultSchema, this.#options(signal));
    } catch (error) {
      // Any error that the server answers with proves that the call reached it.
      if (error instanceof McpError) throw error;
      await this.#drop(client);
      throw neverArrived(error) ? new NotSent(messageOf(error), { cause: error }) : error;
    }
  }

  /** Returns the server's name and version as it reports them; null when it reports none. */
  async version(): Promise<string | null> {
    const server = (await this.#client()).getServerVersion();
    return server === undefined ? null : `${server.name} ${server.version}`;
  }

  /** Closes the connection, and ends the server process if AWOOOI started it. It is not opened again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const client = await this.#open?.catch(() => null);
    await client?.close();
  }

  #options(signal?: AbortSignal) {
    const { timeout_ms: timeout } = this.config;
    return { timeout, maxTotalTimeout: timeout, ...(signal === undefined ? {} : { signal }) };
  }

  #client(): Promise<Client> {
    if (this.#stopped) return Promise.reject(new Error(`the server ${this.config.name} is being stopped`));
    this.#open ??= this.#connect().catch((error: unknown) => {
      this.#open = null;
      throw error;
    });
    return this.#open;
  }

  async #connect(): Promise<Client> {
    const { name } = this.config;
    const { log, version } = this.#deps;
    const { Client } = await sdk();
    // No capabilities: the server cannot request sampling, input from a person, or files.
    const client = new Client({ name: "awoooi", version }, { capabilities: {} });
    this.#newest = client;
    client.onclose = () => {
      this.#forget(client);
      log.info({ server: name }, "the connection to an MCP server has ended");
    };
    client.onerror = (error) => log.debug({ server: name, error: messageOf(error) }, "an MCP server's error");
    await client.connect(await this.#transport(), this.#options());
    log.info({ server: name }, "connected to an MCP server");
    return client;
  }

  async #transport(): Promise<Transport> {
    const { StdioClientTransport, StreamableHTTPClientTransport } = await sdk();
    const { name, command, args, env, cwd, url, headers } = this.config;
    if (url !== undefined) {
      const options = { requestInit: { headers }, fetch: boundedFetch(MAX_BYTES) };
      return new StreamableHTTPClientTransport(new URL(url), options) as Transport;
    }
    const transport = new StdioClientTransport({
      command: command ?? "",
      args,
      env,
      stderr: "pipe",
      maxBufferSize: MAX_BYTES,
      ...(cwd === undefined ? {} : { cwd }),
    });
    logStderr(transport.stderr, name, this.#deps.log);
    return transport;
  }

  /** Makes the next request connect again, unless a newer connection exists already. */
  #forget(client: Client): void {
    if (this.#newest === client) this.#open = null;
  }

  async #drop(client: Client): Promise<void> {
    this.#forget(client);
    await client.close().catch(() => {});
  }
}

/** Thrown when a call cannot have taken effect: the server did not get it, or refused it by its HTTP status. */
export class NotSent extends Error {}

const UNREACHED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
// HTTP statuses of a call refused before anything was done: no permission, no such session or address.
const UNHEARD = new Set([401, 403, 404, 405]);

function neverArrived(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.message === "Not connected") return true;
  const { code } = error as { code?: unknown };
  if (typeof code === "number" && UNHEARD.has(code)) return true;
  const cause = error.cause as { code?: unknown } | undefined;
  return typeof cause?.code === "string" && UNREACHED.has(cause.code);
}
