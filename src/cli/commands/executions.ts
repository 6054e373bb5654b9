import type { Command } from "commander";
import { approval } from "../../contract/approval.ts";
import { pageOf } from "../../contract/common.ts";
import { execution } from "../../contract/execution.ts";
import { operationLogEntry } from "../../contract/operation-log.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, id, limit, type Session } from "../command.ts";
import { actorText, formatTime, shellWord } from "../print.ts";
import { printPlan } from "../views/approval-view.ts";
import { printExecution } from "../views/incident-view.ts";

type Json = { json?: boolean };
type ListOptions = Json & { incident?: string; limit?: number; cursor?: string };
type LogOptions = ListOptions & { event?: string };

async function list(session: Session, { incident: incident_id, limit: count, cursor, json }: ListOptions) {
  const query = { incident_id, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/executions`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(execution), answer);
  if (items.length === 0) return session.out.line("There are no executions.");
  session.out.table(
    ["EXECUTION", "INCIDENT", "STATUS", "VERIFIED", "AT", "OPERATION", "UNDONE BY"],
    items.map((one) => [
      one.execution_id,
      one.incident_id,
      one.status,
      one.verification?.result ?? "",
      formatTime(one.started_at),
      `${one.step > 1 ? `step ${one.step}: ` : ""}${one.operation.kind}${one.target === null ? "" : ` ${one.target.name}`}`,
      one.undone_by ?? (one.undo?.possible ? "can be undone" : ""),
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

async function show(session: Session, executionId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/executions/${executionId}`);
  if (json) return session.out.json(answer.text);
  printExecution(session.out, parseAnswer(execution, answer));
}

async function undo(session: Session, executionId: string, options: Json & { comment?: string }) {
  const { comment, json } = options;
  const body = JSON.stringify(comment === undefined ? {} : { comment });
  const answer = await request(session.server(), "POST", urlPath`/executions/${executionId}/undo`, { body });
  if (json) return session.out.json(answer.text);
  const asked = parseAnswer(approval, answer);
  session.out.line(`${asked.action}: this would undo ${executionId}.`);
  printPlan(session.out, asked);
  session.out.line("Its dry run is being made; then it waits for signatures:");
  session.out.line(`  ${session.out.awoooi("approvals", "approve", asked.approval_id)}`);
}

async function log(session: Session, options: LogOptions): Promise<void> {
  const { incident: incident_id, event, limit: count, cursor, json } = options;
  const query = { incident_id, event, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/operation-log`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(operationLogEntry), answer);
  if (items.length === 0) return session.out.line("The operation log is empty.");
  session.out.table(
    ["AT", "EVENT", "STATUS", "INCIDENT", "BY", "WHAT"],
    items.map((one) => [
      formatTime(one.at),
      one.event,
      one.operation?.status ?? "",
      one.incident_id ?? "-",
      actorText(one.actor, one.actor_kind),
      one.text,
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

const pages = (command: Command) =>
  command
    .option("--incident <id>", "only those of this incident", id)
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page");

export function addExecutions(program: Command, session: Session): void {
  const executions = addGroup(program, "executions", "list and undo executions, and see their results");
  pages(addSubcommand(executions, "ls", "list executions, newest first", ["awoooi executions ls"])).action(
    (options: ListOptions) => list(session, options),
  );
  addSubcommand(executions, "show", "show an execution, its output and verification", [
    "awoooi executions show EXE-…",
  ])
    .argument("<id>", "the execution", id)
    .action((executionId: string, options: Json) => show(session, executionId, options));
  addSubcommand(executions, "undo", "propose to undo an execution", [
    'awoooi executions undo EXE-… --comment "it made things worse"',
  ])
    .argument("<id>", "the execution", id)
    .option("--comment <text>", "why")
    .action((executionId: string, options: Json & { comment?: string }) =>
      undo(session, executionId, options),
    );
  pages(
    addSubcommand(executions, "log", "print the operation log: from alert to notification", [
      "awoooi executions log",
      "awoooi executions log --event GUARDRAIL_BLOCKED",
      "awoooi executions log --event ALERT_RECEIVED --json",
    ]),
  )
    .option("--event <name>", "only this event, such as ROLLED_BACK")
    .action((options: LogOptions) => log(session, options));
}
