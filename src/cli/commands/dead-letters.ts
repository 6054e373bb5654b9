import { setTimeout as pause } from "node:timers/promises";
import type { Command } from "commander";
import { pageOf } from "../../contract/common.ts";
import {
  type DeadLetter,
  type DeadLetterWithBody,
  deadLetter,
  deadLetterWithBody,
} from "../../contract/dead-letter.ts";
import { AwoooiError } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { counted } from "../../lib/words.ts";
import { parseAnswer, request, ServerProblem } from "../client.ts";
import { addGroup, addSubcommand, id, limit, type Session } from "../command.ts";
import { type Cell, formatTime, shellWord } from "../print.ts";

type Json = { json?: boolean };
type ListOptions = Json & { source?: string; limit?: number; cursor?: string };
type ReplayOptions = Json & { all?: boolean; source?: string };

const POLL_MS = 250;
// The server takes receipts up within two seconds, unless many are queued.
const PATIENCE_MS = 30_000;

const STYLES = { dead: "red", replaying: "yellow", replayed: "green" } as const;
const stateCell = ({ state }: DeadLetter): Cell => ({ text: state, style: STYLES[state] });

async function list(session: Session, { json, source, limit: count, cursor }: ListOptions): Promise<void> {
  const query = { source, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/dead-letters`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(deadLetter), answer);
  if (items.length === 0) return session.out.line("There are no dead letters.");
  session.out.table(
    ["ID", "RECEIVED", "SOURCE", "SENDER", "REPLAYS", "ERROR"],
    items.map((one) => [
      one.dead_letter_id,
      formatTime(one.received_at),
      one.source,
      one.sender,
      String(one.replays),
      one.error ?? "",
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

/** Indents JSON, and escapes every character that could mislead a terminal or a reader. */
export function shownBody(body: string): string {
  let text = body;
  try {
    text = JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    // A body that is not JSON is shown as received.
  }
  return text.replace(/[^\P{C}\n]|[\u2028\u2029]/gu, (one) =>
    Array.from({ length: one.length }, (_, at) => one.charCodeAt(at).toString(16).padStart(4, "0"))
      .map((unit) => `\\u${unit}`)
      .join(""),
  );
}

function print(session: Session, found: DeadLetterWithBody): void {
  const { out } = session;
  out.fields([
    ["dead letter", found.dead_letter_id],
    ["state", stateCell(found)],
    ["error", found.error ?? "-"],
    ["source", found.source],
    ["sender", found.sender],
    ["received", formatTime(found.received_at)],
    ["processed", formatTime(found.processed_at)],
    ["replays", String(found.replays)],
    ["alerts", `${counted(found.alert_count, "alert")} parsed`],
    ["size", counted(found.bytes, "byte")],
  ]);
  out.line();
  if (found.body === null) out.line("Its body may hold secrets: seeing it needs the role responder.");
  else out.block(shownBody(found.body), "  ");
}

async function show(session: Session, deadLetterId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/dead-letters/${deadLetterId}`);
  if (json) return session.out.json(answer.text);
  print(session, parseAnswer(deadLetterWithBody, answer));
}

/** Returns the ids of all dead letters, oldest first: the order in which they would have been processed. */
async function everyId(session: Session, source: string | undefined): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { source, limit: 200, cursor };
    const page = parseAnswer(
      pageOf(deadLetter),
      await request(session.server(), "GET", urlPath`/dead-letters`, { query }),
    );
    ids.push(...page.items.map((one) => one.dead_letter_id));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return ids.reverse();
}

/** Polls until the replay of a dead letter has ended, or until `until`. */
async function outcome(session: Session, deadLetterId: string, until: number): Promise<DeadLetter> {
  for (;;) {
    const answer = await request(session.server(), "GET", urlPath`/dead-letters/${deadLetterId}`);
    const found = parseAnswer(deadLetter, answer);
    if (found.state !== "replaying" || performance.now() >= until) return found;
    await pause(POLL_MS);
  }
}

function sentence({ dead_letter_id, state, error, alert_count }: DeadLetter): string {
  if (state === "replayed") return `${dead_letter_id} is parsed: ${counted(alert_count, "alert")}.`;
  if (state === "replaying") return `${dead_letter_id} is still queued: check again later.`;
  return `${dead_letter_id} still fails: ${error ?? "no reason given"}`;
}

async function replay(
  session: Session,
  deadLetterId: string | undefined,
  options: ReplayOptions,
): Promise<void> {
  const { all = false, source, json } = options;
  if (all === (deadLetterId !== undefined) || (source !== undefined && !all)) {
    throw new AwoooiError("invalid", "Give the id of one dead letter, or --all, with or without a --source.");
  }
  const taken: string[] = [];
  for (const one of deadLetterId === undefined ? await everyId(session, source) : [deadLetterId]) {
    try {
      await request(session.server(), "POST", urlPath`/dead-letters/${one}/replay`);
      taken.push(one);
    } catch (error) {
      // With --all, a dead letter that another person replays at the same time is no failure.
      if (!all || !(error instanceof ServerProblem) || error.problem.code !== "conflict") throw error;
    }
  }
  const until = performance.now() + PATIENCE_MS;
  const ended: DeadLetter[] = [];
  for (const one of taken) ended.push(await outcome(session, one, until));
  if (ended.some(({ state }) => state !== "replayed")) session.exit(1);
  if (json) return session.out.json(JSON.stringify(all ? { items: ended } : ended[0]));
  if (ended.length === 0) return session.out.line("There are no dead letters.");
  for (const one of ended) session.out.line(sentence(one), STYLES[one.state]);
}

export function addDeadLetters(program: Command, session: Session): void {
  const letters = addGroup(program, "dead-letters", "alert bodies that could not be parsed (dead letters)");
  addSubcommand(letters, "ls", "list dead letters, newest first", [
    "awoooi dead-letters ls",
    "awoooi dead-letters ls --source alertmanager --json",
  ])
    .option("--source <source>", "only those of this source")
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));

  addSubcommand(letters, "show", "show a dead letter's error and body", ["awoooi dead-letters show 17"])
    .argument("<id>", "the dead letter", id)
    .action((deadLetterId: string, options: Json) => show(session, deadLetterId, options));

  addSubcommand(letters, "replay", "parse a dead letter again; exit code 1 if it fails", [
    "awoooi dead-letters replay 17",
    "awoooi dead-letters replay --all --source generic",
  ])
    .argument("[id]", "the dead letter", id)
    .option("--all", "all dead letters, oldest first")
    .option("--source <source>", "with --all: only those of this source")
    .addHelpText("after", "\nAlerts that were already counted are not counted again.")
    .action((deadLetterId: string | undefined, options: ReplayOptions) =>
      replay(session, deadLetterId, options),
    );
}
