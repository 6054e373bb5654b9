import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { z } from "zod";
import { type CliIo, runCli } from "../../src/cli/index.ts";
import { type Approval, approval, approve } from "../../src/contract/approval.ts";
import { pageOf, problem } from "../../src/contract/common.ts";
import { type Decision, decision } from "../../src/contract/decision.ts";
import { type Execution, execution } from "../../src/contract/execution.ts";
import { type Incident, incident, timelineEvent } from "../../src/contract/incident.ts";
import type { AlertResult } from "../../src/contract/webhook.ts";
import { ERRORS, type ErrorCode } from "../../src/lib/error.ts";

export const HASH = "a".repeat(64);
export const TOKEN = "awoooi_secret-of-a-test";
export const AT = "2026-07-01T12:00:00.000Z";
export const HOSTILE = "up\u001b[2J\u001b]0;pwned\u0007\r\nawoooi: all is well \u202egnp\u009b31m";
const target = { kind: "process", name: "demo-shop" };
const operation = { kind: "process.restart", target, parameters: {} };

export const INCIDENT: Incident = {
  incident_id: "INC-20260701-ABC123",
  title: "DemoShopDown: no answer",
  status: "investigating",
  activity: "waiting_for_signature",
  severity: "P0",
  alert_category: "general",
  notification_type: "TYPE-3",
  affected_services: ["demo-shop"],
  operation_target: target,
  fingerprint: "f".repeat(32),
  anomaly_key: "a".repeat(32),
  hit_count: 3,
  flapping: false,
  first_seen: AT,
  last_seen: AT,
  created_at: AT,
  updated_at: AT,
  resolved_at: null,
  closed_at: null,
  acknowledged_at: null,
  silenced_by: [],
  owner: null,
  frequency_stats: {
    ...{ last_1h: 1, last_24h: 2, last_7d: 3, last_30d: 4 },
    ...{ count_1h: 1, count_24h: 2, count_7d: 3, count_30d: 4 },
    anomaly_key: "a".repeat(32),
    auto_repair_count: 1,
    escalation_level: 2,
  },
  frequency_snapshot: null,
  decision: { token: "DEC-0123456789AB", state: "ready", source: "expert_system", summary: "Restart" },
  approval_ids: ["APR-1"],
  outcome: null,
  merged_into: null,
  effects: [],
  effect_count: 0,
  related: [],
  probable_cause: null,
  links: {},
};

export const APPROVAL: Approval = {
  approval_id: "APR-1",
  incident_id: INCIDENT.incident_id,
  decision_token: "DEC-0123456789AB",
  status: "pending",
  execution_status: null,
  stopped_by: null,
  action: "Restart process demo-shop",
  operation,
  steps: [operation],
  authority: "people",
  description: "It is started afresh.",
  risk_level: "medium",
  blast_radius: { affected_pods: 0, estimated_downtime: 5, related_services: [], data_impact: "NONE" },
  dry_run_checks: [
    { name: "target", passed: true, message: "it runs" },
    { name: "permission", passed: false, message: "not asked" },
  ],
  plan_hash: HASH,
  diff: null,
  required_signatures: 1,
  signatures: [],
  requested_by: "awoooi",
  requested_by_kind: "system",
  reject_reason: null,
  matched_playbook_id: null,
  fingerprint: INCIDENT.fingerprint,
  hit_count: 3,
  created_at: AT,
  expires_at: "2026-07-01T13:00:00.000Z",
  decided_at: null,
  authority_until: null,
};

export const DECISION: Decision = {
  token: "DEC-0123456789AB",
  incident_id: INCIDENT.incident_id,
  state: "ready",
  source: "expert_system",
  rule_id: "process_not_serving",
  summary: "Restart",
  confidence: 0,
  proposal: {
    action: "Restart process demo-shop",
    operation,
    description: "It is started afresh.",
    risk_level: "medium",
    reasoning: "the name contains down",
  },
  policy: { outcome: "ask", rule: "suggest", reason: "the mode is suggest: people decide" },
  created_at: AT,
  ready_at: AT,
  valid_until: AT,
};

export const EXECUTION: Execution = {
  execution_id: "EXE-1",
  incident_id: INCIDENT.incident_id,
  approval_id: "APR-1",
  caller: "approval_executor",
  step: 1,
  operation,
  operation_type: operation.kind,
  tags: ["human_approved", "process"],
  input: { text: "Restart process demo-shop", operation, target, namespace: null },
  target,
  status: "success",
  attempts: 1,
  output: "restarted as pid 7",
  error: null,
  error_code: null,
  stderr: null,
  duration_ms: 12,
  snapshot_id: null,
  verification: { result: "success", reason: "healthy again", evidence: { before: null, after: null } },
  created_at: AT,
  started_at: AT,
  ended_at: AT,
  undo: null,
  undoes: null,
  undone_by: null,
};

export const RESULT: AlertResult = {
  success: true,
  message: "Restart process demo-shop: people decide",
  alert_id: "ALT-1",
  approval_created: true,
  approval_id: "APR-1",
  incident_id: INCIDENT.incident_id,
  risk_level: "medium",
  suggested_action: "Restart process demo-shop",
  hit_count: 1,
  converged: false,
};

export type Reply = {
  status?: number;
  json?: unknown;
  text?: string;
  type?: string;
  headers?: Record<string, string>;
};
export type Seen = {
  call: string;
  query: URLSearchParams;
  body: string;
  authorization: string | undefined;
};
export type Setting = {
  env?: CliIo["env"];
  stdin?: string;
  isTTY?: boolean;
  serve?: CliIo["serve"];
  config?: CliIo["config"];
};

/** An answer that is what the contract says, so that the tests cannot drift away from it. */
export const as = (schema: z.ZodType, json: unknown): Reply => ({ json: schema.parse(json) });
export const page = (schema: z.ZodType, items: unknown[], next_cursor: string | null = null) =>
  as(pageOf(schema), { items, next_cursor });

/** How the server refuses. */
export function refusal(code: ErrorCode, detail: string, more: object = {}): Reply {
  const { status, title } = ERRORS[code];
  const json = problem.parse({ type: `errors.md#${code}`, title, status, detail, code, ...more });
  return { status, json, type: "application/problem+json" };
}

/** A server that answers as `answers` says, by method and path, and keeps what it was asked. */
export class FakeServer {
  url = "";
  seen: Seen[] = [];
  answers: Record<string, Reply | ((call: Seen) => Reply)> = {};
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<void> {
    await new Promise<void>((listening) => this.#server.listen(0, "127.0.0.1", listening));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  calls(): string[] {
    return this.seen.map((one) => one.call);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? "", this.url);
    let body = "";
    for await (const piece of request.setEncoding("utf8")) body += piece;
    const call = `${request.method} ${at.pathname.replace("/api/v1", "")}`;
    const one = { call, query: at.searchParams, body, authorization: request.headers.authorization };
    this.seen.push(one);
    const found = this.answers[call];
    const reply = typeof found === "function" ? found(one) : (found ?? refusal("not_found", `No ${call}.`));
    response.writeHead(reply.status ?? 200, {
      "content-type": reply.type ?? "application/json",
      ...reply.headers,
    });
    response.end(reply.text ?? (reply.json === undefined ? "" : JSON.stringify(reply.json)));
  }

  /** Runs a command line against this server. */
  async awoooi(
    argv: readonly string[],
    { env = {}, stdin = "", isTTY = false, serve, config }: Setting = {},
  ) {
    let stdout = "";
    let stderr = "";
    const code = await runCli(argv, {
      env: { AWOOOI_URL: this.url, AWOOOI_TOKEN: TOKEN, ...env },
      stdout: (text) => {
        stdout += text;
      },
      stderr: (text) => {
        stderr += text;
      },
      stdin: (async function* () {
        yield stdin;
      })(),
      isTTY,
      ...(serve === undefined ? {} : { serve }),
      ...(config === undefined ? {} : { config }),
    });
    return { code, stdout, stderr };
  }
}

const own = `/incidents/${INCIDENT.incident_id}`;

/** A server with one incident, and one approval that waits. */
export function oneIncident(): FakeServer["answers"] {
  return {
    "GET /incidents": page(incident, [INCIDENT]),
    [`GET ${own}`]: as(incident, INCIDENT),
    [`GET ${own}/decision`]: as(decision, DECISION),
    [`GET ${own}/executions`]: page(execution, []),
    [`GET ${own}/timeline`]: {
      json: {
        items: [
          timelineEvent.parse({ seq: 1, at: AT, kind: "alert", actor: "intake", text: "fired", data: {} }),
        ],
      },
    },
    "GET /approvals": page(approval, [APPROVAL]),
    "GET /approvals/APR-1": as(approval, APPROVAL),
    "POST /approvals/APR-1/approve": ({ body }) => {
      const { plan_hash } = approve.parse(JSON.parse(body));
      const signatures = [{ signer: "ada", comment: null, at: AT }];
      return as(approval, { ...APPROVAL, plan_hash, status: "approved", signatures });
    },
  };
}
