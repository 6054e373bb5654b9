import type { Command } from "commander";
import { pageOf } from "../../contract/common.ts";
import { heartbeat } from "../../contract/heartbeat.ts";
import { urlPath } from "../../lib/url-path.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, id, type Session } from "../command.ts";
import { formatSpan, formatTime } from "../print.ts";

type Json = { json?: boolean };

async function list(session: Session, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/heartbeats`, { query: { limit: 200 } });
  if (json) return session.out.json(answer.text);
  const { items } = parseAnswer(pageOf(heartbeat), answer);
  if (items.length === 0)
    return session.out.line("No heartbeats: none was received yet, and heartbeats.expected names none.");
  session.out.table(
    ["HEARTBEAT", "STATE", "NAME", "SOURCE", "WITHIN", "LAST RECEIVED", "KNOWN FROM"],
    items.map((one) => [
      one.heartbeat_id,
      one.state,
      one.name,
      one.source ?? "any",
      formatSpan(one.interval * 1000),
      one.last_heard_at === null ? "never" : formatTime(one.last_heard_at),
      one.expected ? "configuration" : "receiving it",
    ]),
  );
}

async function forget(session: Session, heartbeatId: string, { json }: Json): Promise<void> {
  const answer = await request(session.server(), "DELETE", urlPath`/heartbeats/${heartbeatId}`);
  if (json) return session.out.json(answer.text);
  const { name, expected } = parseAnswer(heartbeat, answer);
  session.out.line(
    expected
      ? `${name} is reset, and still expected: heartbeats.expected names it.`
      : `${name} is no longer expected, until it is received again.`,
  );
}

export function addHeartbeats(program: Command, session: Session): void {
  const heartbeats = addGroup(program, "heartbeats", "heartbeats: alerts whose absence opens an incident");
  addSubcommand(heartbeats, "ls", "list expected heartbeats, and which are missing", [
    "awoooi heartbeats ls",
  ]).action((options: Json) => list(session, options));
  addSubcommand(heartbeats, "forget", "stop expecting a heartbeat", [
    "awoooi heartbeats forget HB-0a1b2c3d4e5f",
  ])
    .argument("<id>", "the heartbeat", id)
    .action((heartbeatId: string, options: Json) => forget(session, heartbeatId, options));
}
