import type { Command } from "commander";
import { type FreezeStatus, freezeStatus } from "../../contract/freeze.ts";
import { urlPath } from "../../lib/url-path.ts";
import { counted } from "../../lib/words.ts";
import { parseAnswer, request } from "../client.ts";
import { addSubcommand, duration, type Session, withExamples } from "../command.ts";
import { formatTime } from "../print.ts";

type Json = { json?: boolean };
type FreezeOptions = Json & { why?: string; for?: number };

function print(session: Session, { by_configuration, freezes, windows, under_way }: FreezeStatus): void {
  const { out } = session;
  if (by_configuration) out.line("Changes are frozen by the configuration: execution.frozen.", "yellow");
  for (const { frozen_by, why, since, until } of freezes) {
    const end = until === null ? "until it is lifted" : `until ${formatTime(until)}`;
    out.line(`Changes are frozen by ${frozen_by} since ${formatTime(since)}, ${end}: ${why}`, "yellow");
  }
  for (const { name, why } of windows) out.line(`Changes are frozen in the window ${name}: ${why}`, "yellow");
  if (under_way.length > 0)
    out.line(`${counted(under_way.length, "execution")} under way, not stopped: ${under_way.join(", ")}`);
}

type Method = "GET" | "PUT" | "DELETE";

async function requestFreeze(session: Session, method: Method, { json }: Json, body?: object): Promise<void> {
  const more = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await request(session.server(), method, urlPath`/freeze`, more);
  if (json) return session.out.json(answer.text);
  const status = parseAnswer(freezeStatus, answer);
  if (!status.frozen) session.out.line("Nothing is frozen: approved plans are executed.", "green");
  print(session, status);
}

export function addFreeze(program: Command, session: Session): void {
  const freeze = program.command("freeze").description("freeze all changes, or show what freezes them");
  addSubcommand(
    freeze,
    "set",
    "freeze all changes; running ones continue",
    ['awoooi freeze --why "we move the database" --for 2h'],
    { isDefault: true },
  )
    .requiredOption("--why <text>", "shown where a change is refused")
    .option("--for <duration>", "such as 30m, 2h or 7d (default: until it is lifted)", duration)
    .action(({ why, for: seconds, json }: FreezeOptions) =>
      requestFreeze(session, "PUT", { json: json === true }, { why, duration: seconds }),
    );
  addSubcommand(freeze, "status", "show whether changes are frozen, and by what", [
    "awoooi freeze status",
  ]).action((options: Json) => requestFreeze(session, "GET", options));
  const unfreeze = program.command("unfreeze").description("lift all freezes set by people");
  unfreeze
    .option("--json", "print the server's JSON")
    .action((options: Json) => requestFreeze(session, "DELETE", options));
  withExamples(unfreeze, ["awoooi unfreeze"]);
}
