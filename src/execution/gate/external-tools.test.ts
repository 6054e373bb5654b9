import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { approved, presented } from "../../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { clearFolder, temporaryFolder } from "../../../test/support/folder.ts";
import { traceFile } from "../../../test/support/mcp-tools.ts";
import {
  GATEWAY,
  makePerson,
  type Person,
  type SetClock,
  setClock,
} from "../../../test/support/pipeline-deps.ts";
import { type McpTools, mcp } from "../../adapters/executors/mcp/index.ts";
import { silentLog } from "../../lib/log.ts";
import type { Operation } from "../../operation/index.ts";
import { prepareExecution } from "../plan/prepare.ts";
import { attemptExecution } from "../run/attempt.ts";
import { beginExecution } from "../run/begin.ts";
import type { RunOptions } from "../types.ts";
import { isOffered } from "./authorise.ts";
import { callReadTool } from "./call-read-tool.ts";
import { listTools } from "./tools.ts";

type ToolCall = Extract<Operation, { kind: "tool.call" }>;

const STDIO = join(import.meta.dirname, "../../../test/support/mcp-stdio.ts");

let database: TestDatabase;
let clock: SetClock;
let folder: string;
let trace: string;
let tools: McpTools;
let options: RunOptions;
let ada: Person;

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
  folder = await temporaryFolder("external-tools");
  trace = join(folder, "trace");
  const listed = [
    { name: "status", scope: "read" },
    { name: "restart", scope: "write", description: "Restarts a thing" },
    { name: "die", scope: "write" },
    { name: "fail", scope: "admin" },
  ];
  const server = { name: "ops", command: process.execPath, args: [STDIO, trace], tools: listed };
  tools = mcp.create(mcp.settings.schema.parse({ servers: [server] }), { log: silentLog, version: "0" });
});
afterAll(async () => {
  await tools.close();
  await database.drop();
  await clearFolder(folder);
});
beforeEach(async () => {
  // What the test before left to be verified would keep its target busy.
  await database.forget();
  clock.forward(10_000);
  traceFile(trace);
  const gateway = () => ({ ...GATEWAY, executors: [tools.executor], read_timeout: 10 });
  options = { gateway, retries: 2, retry_wait: 0, busy_wait: 2, timeout: 20, deadline: 1_200 };
});

const pipeline = () => database.ctx({ kind: "system", name: "pipeline" }, clock);
const traces = () =>
  readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("started"));
const call = (name: string, given: Record<string, unknown> = {}): ToolCall => ({
  kind: "tool.call",
  target: { kind: "tool", name, host: "ops" },
  parameters: { arguments: given },
});
async function carryOut(operation: Operation) {
  const { approval_id, incident_id } = await approved([ada], database, clock, operation);
  const { execution_id } = await beginExecution(pipeline(), approval_id, options);
  const outcome = await attemptExecution(pipeline(), { execution_id, attempt: 1 }, options);
  const { rows } = await database.pool.query("select * from executions where execution_id = $1", [
    execution_id,
  ]);
  return { incident_id, execution_id, outcome, row: rows[0] };
}
async function ledgerOf(subject: string) {
  const { rows } = await database.pool.query(
    "select data from audit_entries where subject = $1 and action = 'gateway.call' order by seq",
    [subject],
  );
  return rows.map((row) => row.data as Record<string, unknown>);
}

describe("an external tool", () => {
  it("that changes something is called for an approval of exactly this call, once, and is on the ledger", async () => {
    const { execution_id, outcome, row } = await carryOut(call("restart", { name: "web" }));
    expect(outcome).toEqual({ kind: "acted", known: true });
    expect(row.output).toBe("restarted web");
    expect(traces()).toEqual(["restart web"]);
    expect(await ledgerOf(execution_id)).toMatchObject([
      { what: "act", tool: "ops/restart", caller: "approval_executor", outcome: "ok" },
    ]);
  });

  it("has its schema put into the plan, so that it is signed with it", async () => {
    const { incident_id } = await presented(database, clock);
    const operation = call("restart", { name: "web" });
    const prepared = await prepareExecution(pipeline(), { incident_id, operation }, options.gateway);
    expect(prepared.operation).toMatchObject({
      parameters: { schema: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(prepared.checks.every((check) => check.passed)).toBe(true);
    expect(traces()).toEqual([]);
  });

  it("that is not listed is refused at gate 2, whatever its server offers", async () => {
    const { row } = await carryOut(call("hostile"));
    expect(row).toMatchObject({ status: "refused", error_code: "tool_unknown" });
    expect(row.error).toContain("Gate 2: no tool ops/hostile is configured");
    expect(isOffered(options.gateway(), call("hostile"))).toBe(false);
    expect(isOffered(options.gateway(), call("restart"))).toBe(true);
  });

  it("is refused where it is disabled by its name, and where its scope is not granted", async () => {
    const before = options.gateway();
    options.gateway = () => ({ ...before, disabled_tools: ["ops/restart"] });
    expect((await carryOut(call("restart", { name: "web" }))).row.error_code).toBe("tool_disabled");
    expect((await carryOut(call("fail"))).row.error_code).toBe("scope_not_granted");
    expect(traces()).toEqual([]);
  });

  it("whose server dies in the middle is not called again: what came of it is looked at", async () => {
    const { outcome, row } = await carryOut(call("die"));
    expect(outcome).toEqual({ kind: "acted", known: false });
    expect(row.status).toBe("verifying");
    expect(traces()).toEqual(["die"]);
  });

  it("that only reads needs no approval, and one that changes something is not called like that", async () => {
    const { incident_id } = await presented(database, clock);
    const read = (operation: ToolCall) =>
      callReadTool(pipeline(), { caller: "planner", incident_id, operation }, options.gateway);
    expect(await read(call("status"))).toEqual({ ok: true, output: "all is well" });
    expect(await read(call("restart", { name: "web" }))).toMatchObject({ ok: false });
    expect(traces()).toEqual([]);
    expect(await ledgerOf(incident_id)).toMatchObject([
      { what: "call", tool: "ops/status", caller: "planner", outcome: "ok" },
      { what: "call", tool: "ops/restart", outcome: expect.stringContaining("needs an approval") },
    ]);
  });

  it("has secrets among its arguments left out of the ledger", async () => {
    const { execution_id } = await carryOut(call("restart", { name: "web", password: "hunter2-S3cr3t" }));
    expect(await ledgerOf(execution_id)).toMatchObject([
      { operation: { parameters: { arguments: { name: "web", password: "[redacted]" } } } },
    ]);
    const { rows } = await database.pool.query(
      "select 1 from audit_entries where data::text like '%hunter2%'",
    );
    expect(rows).toEqual([]);
  });

  it("is listed with what holds for it", async () => {
    const before = options.gateway();
    options.gateway = () => ({ ...before, disabled_tools: ["ops/restart"] });
    const list = await listTools(database.ctx(ada, clock), options.gateway());
    expect(list).toMatchObject([
      { tool: "ops/die", scope: "write", granted_to: ["approval_executor", "auto_repair"] },
      { tool: "ops/fail", scope: "admin", risk: "high", granted_to: [], enabled: true },
      { tool: "ops/restart", enabled: false, reachable: true, description: "Restarts a thing" },
      { tool: "ops/status", scope: "read", granted_to: ["approval_executor", "auto_repair", "planner"] },
    ]);
  });
});
