import type { Command } from "commander";
import { pageOf } from "../../contract/common.ts";
import { refusedCalls, sourceList } from "../../contract/source.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, limit, type Session } from "../command.ts";
import { formatTime, shellWord } from "../print.ts";
import type { TestOptions } from "./sources-test.ts";
import { bytes } from "./storage.ts";

type Json = { json?: boolean };
type RefusedOptions = Json & {
  source?: string;
  reason?: string;
  sender?: string;
  limit?: number;
  cursor?: string;
};

async function list(session: Session, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/sources`);
  if (json) return session.out.json(answer.text);
  session.out.table(
    ["SOURCE", "PATH", "LAST ACCEPTED", "ACCEPTED", "REFUSED", "DEAD", "DEAD LETTERS", "LIMITED NOW"],
    parseAnswer(sourceList, answer).items.map(
      ({ source, path, last_accepted_at, calls, dead_letters, limited }) => [
        source,
        path ?? "-",
        formatTime(last_accepted_at),
        String(calls.accepted),
        String(calls.refused),
        String(calls.dead),
        `${dead_letters.count}, ${bytes(dead_letters.bytes)}`,
        limited.length === 0 ? "-" : { text: limited.join(", "), style: "red" as const },
      ],
    ),
  );
  session.err.line("Counts are those of the last 24 hours.");
}

async function refused(session: Session, { json, limit: count, ...filter }: RefusedOptions): Promise<void> {
  const query = { ...filter, limit: count };
  const answer = await request(session.server(), "GET", urlPath`/sources/refused`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(refusedCalls), answer);
  if (items.length === 0) return session.out.line("No call was refused.");
  session.out.table(
    ["LAST", "SOURCE", "SENDER", "REASON", "CALLS", "FIRST ANSWER"],
    items.map((one) => [
      formatTime(one.last_at),
      one.source,
      one.sender,
      one.reason,
      String(one.count),
      one.sample ?? "",
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

export function addSources(program: Command, session: Session): void {
  const sources = addGroup(program, "sources", "sources of alerts, and refused calls");
  const summary = "list sources, their calls of the last 24 hours, and the limits in force";
  addSubcommand(sources, "ls", summary, ["awoooi sources", "awoooi sources ls --json"], {
    isDefault: true,
  }).action((options: Json) => list(session, options));
  addSubcommand(sources, "refused", "list refused calls by hour and reason, newest first", [
    "awoooi sources refused",
    "awoooi sources refused --source alertmanager --reason untrusted_sender",
  ])
    .option("--source <source>", "only calls of this source")
    .option("--reason <reason>", "only this reason: an error code or a limit")
    .option("--sender <address>", "only those from this address")
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: RefusedOptions) => refused(session, options));
  addSubcommand(sources, "test", "parse a body and show its alerts, without a server", [
    "awoooi sources test --source alertmanager --file body.json",
    "awoooi sources test --source custom:shop --file - --json < body.json",
  ])
    .requiredOption("--source <name>", "the source: alertmanager, generic, pagerduty, custom:NAME, …")
    .requiredOption("--file <file>", "the body of one call, as JSON; - is stdin")
    .option("--config <file>", "the settings, with intake.custom (default: awoooi.yaml if it exists)")
    .addHelpText("after", "\nExit code 1 when part of it would be a dead letter.")
    // Loaded on demand: the stages behind it take most of a second to load, for which no other command should wait.
    .action(async (options: TestOptions) => {
      const { runSourceTest } = await import("./sources-test.ts");
      await runSourceTest(session, options);
    });
}
