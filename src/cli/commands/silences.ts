import { type Command, InvalidArgumentError } from "commander";
import { pageOf } from "../../contract/common.ts";
import { incident } from "../../contract/incident.ts";
import { type Silence, silence, silenceStatus } from "../../contract/silence.ts";
import { AwoooiError } from "../../lib/error.ts";
import { matchersText, parseMatchers } from "../../lib/matchers.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, choiceOption, duration, id, limit, type Session } from "../command.ts";
import { actorText, type Cell, formatTime, shellWord } from "../print.ts";

type Json = { json?: boolean };
type ListOptions = Json & { status?: string; limit?: number; cursor?: string };
type AddOptions = Json & { for: number; why: string; from?: string; incident?: string };

function time(text: string): string {
  const at = new Date(text);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new InvalidArgumentError("It must be a time such as 2026-07-01T22:00:00Z.");
}

const STYLES = { active: "green", pending: "yellow", expired: "dim" } as const;
const statusCell = ({ status }: Silence): Cell => ({ text: status, style: STYLES[status] });

function print(session: Session, one: Silence): void {
  session.out.line(one.silence_id, "bold");
  session.out.fields([
    ["status", statusCell(one)],
    ["alerts", `{${matchersText(one.matchers)}}`],
    ["from", formatTime(one.starts_at)],
    ["until", formatTime(one.ends_at)],
    ["by", actorText(one.created_by, one.created_by_kind)],
    ["why", one.comment],
    ["incident", one.incident_id ?? "-"],
    ["ended by", one.ended_by === null ? "-" : actorText(one.ended_by, one.ended_by_kind ?? "unknown")],
  ]);
}

async function list(session: Session, { json, status, limit: count, cursor }: ListOptions): Promise<void> {
  const query = { status, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/silences`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(silence), answer);
  if (items.length === 0) return session.out.line("There are no silences.");
  session.out.table(
    ["SILENCE", "STATUS", "UNTIL", "BY", "ALERTS", "WHY"],
    items.map((one) => [
      one.silence_id,
      statusCell(one),
      formatTime(one.ends_at),
      actorText(one.created_by, one.created_by_kind),
      matchersText(one.matchers),
      one.comment,
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

async function show(session: Session, silenceId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/silences/${silenceId}`);
  if (json) return session.out.json(answer.text);
  print(session, parseAnswer(silence, answer));
}

async function addToIncident(session: Session, incidentId: string, options: AddOptions): Promise<void> {
  const body = JSON.stringify({ duration: options.for, comment: options.why });
  const answer = await request(session.server(), "POST", urlPath`/incidents/${incidentId}/silence`, { body });
  if (options.json) return session.out.json(answer.text);
  const { silenced_by } = parseAnswer(incident, answer);
  const ids = silenced_by.map((one) => one.id).join(", ");
  session.out.line(`${incidentId} is silenced (${ids}): it stays open, without notifications.`);
}

async function add(session: Session, texts: readonly string[], options: AddOptions): Promise<void> {
  if ((texts.length === 0) === (options.incident === undefined))
    throw new AwoooiError("invalid", "Select the alerts: give matchers, or --incident.");
  if (options.incident !== undefined) return addToIncident(session, options.incident, options);
  const matchers = texts.flatMap((text) => parseMatchers(text));
  const { for: duration, from: starts_at, why: comment } = options;
  const body = JSON.stringify({ matchers, duration, starts_at, comment });
  const answer = await request(session.server(), "POST", urlPath`/silences`, { body });
  if (options.json) return session.out.json(answer.text);
  const made = parseAnswer(silence, answer);
  print(session, made);
  session.out.line(`To end it earlier: ${session.out.awoooi("silences", "expire", made.silence_id)}`);
}

async function expire(session: Session, silenceId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "POST", urlPath`/silences/${silenceId}/expire`);
  if (json) return session.out.json(answer.text);
  session.out.line(`${silenceId} has ended: muted alerts that still fire take effect now.`);
}

export function addSilences(program: Command, session: Session): void {
  const silences = addGroup(program, "silences", "mute alerts, with an end and a reason");
  addSubcommand(silences, "ls", "list silences, newest first", [
    "awoooi silences ls --status active",
    "awoooi silences ls --json | jq -r '.items[].silence_id'",
  ])
    .addOption(choiceOption("--status <status>", "only those in this status", silenceStatus.options))
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: ListOptions) => list(session, options));
  addSubcommand(silences, "show", "show a silence", ["awoooi silences show SIL-5Q0ZC8WJ1N6T3KXM"])
    .argument("<id>", "the silence", id)
    .action((silenceId: string, options: Json) => show(session, silenceId, options));
  addSubcommand(silences, "add", "mute alerts that match all matchers", [
    `awoooi silences add 'alertname="DiskFull"' 'node=~"db-.*"' --for 2h --why "the disk is being changed"`,
    `awoooi silences add '{job="backup"}' --from 2026-07-01T22:00:00Z --for 4h --why "the yearly copy"`,
    'awoooi silences add --incident INC-20260701-7H2K9Q --for 1h --why "known, ticket 42"',
  ])
    .argument("[matchers...]", "as Alertmanager writes them, with =, !=, =~ or !~")
    .option("--incident <id>", "this incident's alerts, instead of matchers", id)
    .requiredOption("--for <duration>", "how long, such as 30m, 2h or 7d", duration)
    .requiredOption("--why <text>", "the reason, shown with the silence")
    .option("--from <time>", "when it begins (default: now)", time)
    .action((texts: string[], options: AddOptions) => add(session, texts, options));
  addSubcommand(silences, "expire", "end a silence now", ["awoooi silences expire SIL-5Q0ZC8WJ1N6T3KXM"])
    .argument("<id>", "the silence", id)
    .action((silenceId: string, options: Json) => expire(session, silenceId, options));
}
