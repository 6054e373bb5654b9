import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { pageOf } from "../../contract/common.ts";
import {
  importedPlaybooks,
  OWN_TARGET,
  type Playbook,
  type PlaybookStep,
  playbook,
  playbookStatus,
} from "../../contract/playbook.ts";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { counted } from "../../lib/words.ts";
import { writePlaybooks } from "../../playbook/index.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, choiceOption, id, limit, type Session } from "../command.ts";
import { actorText, type Cell, formatTime, shellWord } from "../print.ts";

type Json = { json?: boolean };
type ListOptions = Json & { status?: string; limit?: number; cursor?: string };

const STYLES = { draft: "yellow", approved: "green", deprecated: "dim" } as const;
const statusCell = ({ status }: Playbook): Cell => ({ text: status, style: STYLES[status] });
const percent = (part: number | null) => (part === null ? "-" : `${Math.round(part * 100)} %`);

function stepText({ order, operation, target, parameters, risk }: PlaybookStep): string {
  const where = target === OWN_TARGET ? target : `${target.kind} ${target.name}`;
  const details = Object.keys(parameters).length === 0 ? "" : ` ${JSON.stringify(parameters)}`;
  return `${order}. ${operation} on ${where}${details} (${risk} risk)`;
}

function print({ out }: Session, one: Playbook): void {
  out.line(`${one.playbook_id}  ${one.name}`, "bold");
  const any = (list: readonly string[]) => (list.length === 0 ? "any" : list.join(", "));
  out.fields([
    ["status", statusCell(one)],
    ["description", one.description || "-"],
    ["alerts", one.pattern.alert_names.join(", ")],
    ["services", any(one.pattern.services)],
    ["severities", any(one.pattern.severities)],
    ["runs", `${one.runs}: ${one.successes} succeeded, ${one.failures} failed`],
    ["success rate", percent(one.success_rate)],
    ["trust", percent(one.trust)],
    ["source", `${one.source}, by ${actorText(one.created_by, one.created_by_kind)}`],
    ["approved by", one.approved_by ?? "-"],
    ["changed", formatTime(one.updated_at)],
  ]);
  out.line("steps");
  for (const step of one.steps) out.line(`  ${stepText(step)}`);
}

async function list(session: Session, { json, status, limit: count, cursor }: ListOptions): Promise<void> {
  const query = { status, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/playbooks`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(playbook), answer);
  if (items.length === 0) return session.out.line("There are no playbooks.");
  session.out.table(
    ["PLAYBOOK", "NAME", "STATUS", "STEPS", "RUNS", "WORKED", "TRUST", "ALERTS"],
    items.map((one) => [
      one.playbook_id,
      one.name,
      statusCell(one),
      String(one.steps.length),
      String(one.runs),
      percent(one.success_rate),
      percent(one.trust),
      one.pattern.alert_names.join(", "),
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

async function show(session: Session, playbookId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/playbooks/${playbookId}`);
  if (json) return session.out.json(answer.text);
  print(session, parseAnswer(playbook, answer));
}

async function bringIn(session: Session, file: string, { json }: Json): Promise<void> {
  const yaml = await readFile(file, "utf8").catch((error: unknown) => {
    throw new AwoooiError("invalid", `${file} cannot be read: ${messageOf(error)}.`);
  });
  const answer = await request(session.server(), "POST", urlPath`/playbooks`, {
    body: JSON.stringify({ yaml }),
  });
  if (json) return session.out.json(answer.text);
  const { items } = parseAnswer(importedPlaybooks, answer);
  session.out.table(
    ["PLAYBOOK", "NAME", "", "STATUS"],
    items.map(({ result, playbook: one }) => [one.playbook_id, one.name, result, statusCell(one)]),
  );
  const drafts = items.filter((one) => one.playbook.status === "draft");
  if (drafts.length === 0) return;
  session.out.line(`${counted(drafts.length, "draft")}: to approve one, after reading it:`);
  for (const { playbook: one } of drafts)
    session.out.line(`  ${session.out.awoooi("playbooks", "approve", one.playbook_id)}`);
}

/** Approves the playbook as read, by its hash: if it changes meanwhile, the server refuses. */
async function approve(session: Session, playbookId: string, { json }: Json): Promise<void> {
  const shown = parseAnswer(
    playbook,
    await request(session.server(), "GET", urlPath`/playbooks/${playbookId}`),
  );
  const body = JSON.stringify({ hash: shown.hash });
  const answer = await request(session.server(), "POST", urlPath`/playbooks/${playbookId}/approve`, { body });
  if (json) return session.out.json(answer.text);
  print(session, parseAnswer(playbook, answer));
}

async function deprecate(session: Session, playbookId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "POST", urlPath`/playbooks/${playbookId}/deprecate`);
  if (json) return session.out.json(answer.text);
  session.out.line(`${parseAnswer(playbook, answer).name} is deprecated.`);
}

async function exported(session: Session, ids: readonly string[], { json }: Json): Promise<void> {
  const one = async (playbookId: string) =>
    parseAnswer(playbook, await request(session.server(), "GET", urlPath`/playbooks/${playbookId}`));
  const all = async () => {
    const found: Playbook[] = [];
    for (let cursor: string | undefined; ; ) {
      const query = { limit: 200, cursor };
      const page = parseAnswer(
        pageOf(playbook),
        await request(session.server(), "GET", urlPath`/playbooks`, { query }),
      );
      found.push(...page.items);
      if (page.next_cursor === null) return found;
      cursor = page.next_cursor;
    }
  };
  const playbooks = ids.length === 0 ? await all() : await Promise.all(ids.map(one));
  if (json) session.out.json(JSON.stringify({ playbooks }));
  else session.io.stdout(writePlaybooks(playbooks));
}

export function addPlaybooks(program: Command, session: Session): void {
  const playbooks = addGroup(program, "playbooks", "repair steps for kinds of incidents");
  addSubcommand(playbooks, "ls", "list playbooks, newest first", ["awoooi playbooks ls --status draft"])
    .addOption(choiceOption("--status <status>", "only those in this status", playbookStatus.options))
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));
  addSubcommand(playbooks, "show", "show a playbook with its steps", [
    "awoooi playbooks show PBK-5Q0ZC8WJ1N6T3KXM",
  ])
    .argument("<id>", "the playbook", id)
    .action((playbookId: string, options: Json) => show(session, playbookId, options));
  addSubcommand(playbooks, "import", "import playbooks from YAML, as drafts", [
    "awoooi playbooks import shop.yaml",
  ])
    .argument("<file>", "its format: docs/reference/playbooks.md")
    .action((file: string, options: Json) => bringIn(session, file, options));
  addSubcommand(playbooks, "export", "print playbooks as YAML that can be imported", [
    "awoooi playbooks export > playbooks.yaml",
  ])
    .argument("[ids...]", "which (default: all)")
    .action((ids: string[], options: Json) => exported(session, ids.map(id), options));
  addSubcommand(playbooks, "approve", "approve a playbook for use on incidents", [
    "awoooi playbooks approve PBK-5Q0ZC8WJ1N6T3KXM",
  ])
    .argument("<id>", "the playbook", id)
    .action((playbookId: string, options: Json) => approve(session, playbookId, options));
  addSubcommand(playbooks, "deprecate", "deprecate a playbook: it is no longer used", [
    "awoooi playbooks deprecate PBK-5Q0ZC8WJ1N6T3KXM",
  ])
    .argument("<id>", "the playbook", id)
    .action((playbookId: string, options: Json) => deprecate(session, playbookId, options));
}
