import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/index.ts";
import { alertmanagerBody, post } from "../support/alerts.ts";
import { ADMIN_TOKEN, approvalIn, startTestApp } from "../support/app.ts";
import { createDatabase, type TestDatabase } from "../support/database.ts";
import { clearFolder, temporaryFolder } from "../support/folder.ts";
import { traceFile } from "../support/mcp-tools.ts";
import { eventually, until } from "../support/until.ts";

const STDIO = join(import.meta.dirname, "../support/mcp-stdio.ts");
const RULES = `
- id: mail
  targets: [any]
  keywords: [mail]
  propose: tool.call
  tool: { server: ops, name: restart }
  parameters: { arguments: { name: mailer } }
  risk: low
  reasoning: the runbook says so
- { id: last, targets: [any], propose: investigate, risk: low, reasoning: look }
`;

let folder: string;
let trace: string;
let database: TestDatabase;
let app: Awaited<ReturnType<typeof startTestApp>>;

beforeAll(async () => {
  folder = await temporaryFolder("external-tools");
  trace = traceFile(join(folder, "trace"));
  database = await createDatabase();
  const rules = join(folder, "rules.yaml");
  writeFileSync(rules, RULES);
  const tools = [
    { name: "restart", scope: "write", risk: "high" },
    { name: "status", scope: "read" },
  ];
  app = await startTestApp(database.url, folder, {
    decision: { rules },
    approval: { required_signatures: { high: 1 } },
    mcp: {
      servers: [{ name: "ops", command: process.execPath, args: [STDIO, trace], tools, timeout_ms: 120_000 }],
    },
  });
});
afterAll(async () => {
  await app?.stop();
  await database.drop();
  await clearFolder(folder);
});

async function awoooi(...argv: string[]): Promise<string> {
  const written: string[] = [];
  const keep = (text: string) => written.push(text);
  const env = { AWOOOI_URL: app.url, AWOOOI_TOKEN: ADMIN_TOKEN };
  await runCli(argv, { stdout: keep, stderr: keep, env, isTTY: false, stdin: Readable.from([]) });
  return written.join("");
}
const traces = () => readFileSync(trace, "utf8").trim().split("\n");

test("a rule's external tool is proposed with its operator's risk, signed, called once, and its server ends with us", async () => {
  const { body } = await post(
    app.url,
    alertmanagerBody([{ labels: { alertname: "MailStuck", service: "mail" } }]),
  );
  const incident_id = body.incident_id as string;
  const { approval_id, plan_hash } = await approvalIn(app.admin, incident_id, "pending");
  type Shown = { action: string; risk_level: string; dry_run_checks: { name: string; passed: boolean }[] };
  const shown = await app.admin.get<Shown>(`/approvals/${approval_id}`);
  expect(shown.action).toBe('Call the tool restart of ops with {"name":"mailer"}');
  expect(shown.risk_level).toBe("high");
  expect(shown.dry_run_checks.every((check) => check.passed)).toBe(true);
  expect(traces()).toEqual([expect.stringMatching(/^started/)]);

  await app.admin.post(`/approvals/${approval_id}/approve`, { plan_hash });
  type Page = { items: { status: string; output: string }[] };
  const done = await until(async () => {
    const { items } = await app.admin.get<Page>(`/executions?incident_id=${incident_id}`);
    return items.find((one) => ["success", "failed", "refused"].includes(one.status));
  }, "the execution to end");
  expect(done.output).toBe("restarted mailer");
  expect(traces().slice(1)).toEqual(["restart mailer"]);

  expect(await awoooi("tools", "ls")).toMatch(
    /ops\/restart +tool\.call +ops +write +high +approval_executor, auto_repair +reachable\n/,
  );

  const pid = Number(/started (\d+)/.exec(traces()[0] ?? "")?.[1]);
  await app.stop();
  await eventually(async () => expect(() => process.kill(pid, 0)).toThrow());
});
