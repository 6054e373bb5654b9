import type { Command } from "commander";
import { pageOf } from "../../contract/common.ts";
import { alert } from "../../contract/incident.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addSubcommand, choiceOption, limit, type Session } from "../command.ts";
import { formatTime, shellWord } from "../print.ts";

type Options = { json?: boolean; silenced?: boolean; status?: string; limit?: number; cursor?: string };

async function list(
  session: Session,
  { json, silenced, status, limit: count, cursor }: Options,
): Promise<void> {
  const query = { silenced: silenced ? "true" : undefined, status, limit: count, cursor };
  const answer = await request(session.server(), "GET", urlPath`/alerts`, { query });
  if (json) return session.out.json(answer.text);
  const { items, next_cursor } = parseAnswer(pageOf(alert), answer);
  if (items.length === 0) return session.out.line("There are no such alerts.");
  session.out.table(
    ["ALERT", "FIRST RECEIVED", "STATUS", "NAME", "TARGET", "INCIDENT", "SILENCED BY"],
    items.map((one) => [
      one.alert_id,
      formatTime(one.first_received_at),
      one.status,
      one.alert_name,
      // An alert that names no target has its own name as its target.
      one.target_resource === one.alert_name ? "-" : one.target_resource,
      one.incident_id ?? "-",
      one.silenced_by?.map(({ by, id }) => `${by} ${id}`).join(", ") ?? "-",
    ]),
  );
  if (next_cursor !== null) session.err.line(`There are more: --cursor ${shellWord(next_cursor)}`);
}

/** Adds the command `alerts ls`. */
export function addAlertsList(alerts: Command, session: Session): void {
  addSubcommand(alerts, "ls", "list alerts, newest first", [
    "awoooi alerts ls --silenced --status firing",
    "awoooi alerts ls --json | jq -r '.items[].alert_name'",
  ])
    .option("--silenced", "only those muted by a silence, maintenance window or inhibition")
    .addOption(choiceOption("--status <status>", "only those in this status", ["firing", "resolved"]))
    .option("--limit <n>", "at most this many (default: 50)", limit)
    .option("--cursor <cursor>", "continue after the previous page")
    .action((options: Options) => list(session, options));
}
