import { type Command, InvalidArgumentError } from "commander";
import { actorKind, pageOf } from "../../contract/common.ts";
import { auditEntry, auditReport } from "../../contract/system.ts";
import { systemClock } from "../../lib/clock.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, duration, id, limit, type Session } from "../command.ts";
import { actorText, formatTime, shellWord } from "../print.ts";

async function verify(session: Session, { json }: { json?: boolean }): Promise<void> {
  const ask = (query: { from?: number; head?: string }) =>
    request(session.server(), "GET", urlPath`/audit/verify`, { query });
  let answer = await ask({});
  let report = parseAnswer(auditReport, answer);
  while (report.next !== null) {
    answer = await ask({ from: report.next, head: report.head });
    report = parseAnswer(auditReport, answer);
  }
  const { entries, broken_at, reason, head } = report;
  if (broken_at !== null) session.exit(1);
  if (json) return session.out.json(answer.text);
  if (broken_at !== null) {
    return session.out.line(
      `The ledger is broken at entry ${broken_at}: ${reason ?? "no reason given"}.`,
      "red",
    );
  }
  session.out.line(`The ledger is intact: ${entries} entries.`, "green");
  session.out.line(`head ${head}`);
}

type ListOptions = {
  json?: boolean;
  actor?: string;
  action?: string;
  subject?: string;
  incident?: string;
  since?: string;
  until?: string;
  limit?: number;
  cursor?: string;
};

async function list(session: Session, { json, incident, ...query }: ListOptions): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/audit`, {
    query: { ...query, incident_id: incident },
  });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(auditEntry), answer);
  if (items.length === 0) return session.out.line("There are no such entries.");
  session.out.table(
    ["ENTRY", "AT", "ACTOR", "ACTION", "SUBJECT", "DATA"],
    items.map(({ seq, at, actor, actor_kind, action, subject, data }) => [
      String(seq),
      formatTime(at),
      actorText(actor, actorKind.catch("unknown").parse(actor_kind)),
      action,
      subject,
      JSON.stringify(data),
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

/** Parses a time, or how long ago it was (`2h`), into RFC 3339. */
function past(text: string): string {
  const at = /^\d+(\.\d+)?[smhd]$/.test(text)
    ? new Date(systemClock.now().getTime() - duration(text) * 1000)
    : new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new InvalidArgumentError("It must be a time such as 2026-07-01T22:00:00Z, or an age such as 2h.");
}

export function addAudit(program: Command, session: Session): void {
  const audit = addGroup(program, "audit", "the audit ledger: who did what, when");
  addSubcommand(audit, "ls", "list entries, newest first; admins only", [
    "awoooi audit ls --action approval --since 1d",
    "awoooi audit ls --incident INC-20260701-7H2K9Q",
    "awoooi audit ls --actor ada --json | jq -r '.items[].action'",
  ])
    .option("--actor <name>", "only entries of this actor")
    .option("--action <action>", "one action (approval.signed), or a group (approval)")
    .option("--subject <id>", "only entries about this id or name")
    .option("--incident <id>", "only entries of this incident", id)
    .option("--since <time>", "not before this time, or an age such as 2h", past)
    .option("--until <time>", "before this time, or an age", past)
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));
  addSubcommand(
    audit,
    "verify",
    "check that no entry was changed, removed or inserted; exit code 1 if one was",
    ["awoooi audit verify"],
  ).action((options: { json?: boolean }) => verify(session, options));
}
