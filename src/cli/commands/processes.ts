import { type Command, InvalidArgumentError } from "commander";
import { process as one, processList, processName, type WireProcess } from "../../contract/process.ts";
import { clip } from "../../lib/clip.ts";
import { AwoooiError } from "../../lib/error.ts";
import { urlPath } from "../../lib/url-path.ts";
import { wait } from "../../lib/wait.ts";
import { parseAnswer, request } from "../client.ts";
import { addGroup, addSubcommand, type Session } from "../command.ts";
import { actorText, formatTime, terminalSafe } from "../print.ts";

type Options = { json?: boolean; comment?: string };

const LOOK_MS = 300;
// Longer than the longest stop_timeout_ms (10 minutes), after which the process is killed.
const LONGEST_MS = 11 * 60_000;

function name(text: string): string {
  if (processName.safeParse(text).success) return text;
  throw new InvalidArgumentError("It is not a process name.");
}

/** Returns what people should know of a process besides its state. */
function remarks({
  name,
  state,
  copies,
  pid,
  problem,
  changed,
  asked_by,
  asked_by_kind,
  probe,
  unseen,
  watched,
}: WireProcess): string {
  const by = asked_by === null ? [] : [`by ${actorText(asked_by, asked_by_kind ?? "unknown")}`];
  return [
    ...(state === "stopped" ? by : []),
    ...(problem === null ? [] : [problem]),
    ...(unseen === null ? [] : [`not observed since ${formatTime(unseen.since)}: ${unseen.why}`]),
    ...(problem === null && unseen === null && probe !== null && pid !== null
      ? [`probe ${probe.message}`]
      : []),
    ...(copies.length === 0
      ? []
      : [
          `pid ${copies.join(", ")} runs unsupervised: have it run in the foreground, and end leftovers with awoooi processes stop ${name}`,
        ]),
    ...(changed ? ["configuration changed since its start"] : []),
    ...(watched ? [] : ["not watched"]),
  ].join("; ");
}

// Characters of the remarks: the last column may be longer than other cells.
const MOST = 160;

/** Returns the remarks on one line; longer ones are cut, with the command that shows all. */
function shortened({ out }: Session, process: WireProcess): string {
  const text = terminalSafe(remarks(process));
  const where = ` (${out.awoooi("diagnose", process.name)})`;
  return text.length <= MOST ? text : `${clip(text, MOST - where.length)}${where}`;
}

const styleOf = (state: WireProcess["state"], unseen: WireProcess["unseen"] = null) => {
  if (state === "down") return "red";
  return state === "running" && unseen === null ? "green" : "yellow";
};

async function list(session: Session, { json }: Options): Promise<void> {
  const answer = await request(session.server(), "GET", urlPath`/processes`);
  if (json) return session.out.json(answer.text);
  const { items } = parseAnswer(processList, answer);
  if (items.length === 0)
    return session.out.line("No process is supervised: `processes` in awoooi.yaml names none.");
  session.out.table(
    ["PROCESS", "STATE", "PID", "SINCE", "AUTOSTART", "REMARKS"],
    items.map((process) => [
      process.name,
      { text: process.state, style: styleOf(process.state, process.unseen) },
      process.pid === null ? "-" : String(process.pid),
      process.started_at === null ? "-" : formatTime(process.started_at),
      process.autostart ? "yes" : "no",
      { text: shortened(session, process), whole: true },
    ]),
  );
}

/** Polls until the start or stop has ended, a problem is reported, or 11 minutes have passed. */
async function pollUntilDone(session: Session, asked: WireProcess): Promise<WireProcess> {
  const end = performance.now() + LONGEST_MS;
  let now = asked;
  while ((now.state === "starting" || now.state === "stopping") && now.problem === null) {
    if (performance.now() >= end) break;
    await wait(LOOK_MS);
    const { items } = parseAnswer(processList, await request(session.server(), "GET", urlPath`/processes`));
    const found = items.find((process) => process.name === asked.name);
    if (found === undefined) throw new AwoooiError("not_found", `${asked.name} is no longer configured.`);
    now = found;
  }
  return now;
}

async function requestChange(
  session: Session,
  to: "start" | "stop",
  which: string,
  options: Options,
): Promise<void> {
  const { json, comment } = options;
  const path = to === "start" ? urlPath`/processes/${which}/start` : urlPath`/processes/${which}/stop`;
  const answer = await request(session.server(), "POST", path, { body: JSON.stringify({ comment }) });
  if (json) return session.out.json(answer.text);
  const { state, pid, problem } = await pollUntilDone(session, parseAnswer(one, answer));
  const waits = state === "starting" || state === "stopping";
  if (problem !== null)
    throw new AwoooiError(
      "unavailable",
      `${which} ${waits ? `is still ${state}` : `is ${state}`}: ${problem}`,
    );
  if (state === "down")
    session.out.line(
      `${which} runs${pid === null ? "" : `, pid ${pid}`}. Its incident resolves when it is healthy.`,
      "yellow",
    );
  else if (state === "stopped") session.out.line(`${which} is stopped, until it is started.`, "green");
  else session.out.line(`${which} is ${state}${pid === null ? "" : `, pid ${pid}`}.`, styleOf(state));
}

export function addProcesses(program: Command, session: Session): void {
  const processes = addGroup(program, "processes", "list, start and stop supervised processes");
  addSubcommand(processes, "ls", "list processes and their states", ["awoooi processes ls"]).action(
    (options: Options) => list(session, options),
  );
  for (const [to, summary] of [
    ["start", "start and watch a process"],
    ["stop", "stop a process: it stays stopped, and raises no alert, until it is started"],
  ] as const)
    addSubcommand(processes, to, summary, [`awoooi processes ${to} shop`])
      .argument("<name>", "the process", name)
      .option("--comment <text>", "kept in the audit ledger")
      .action((which: string, options: Options) => requestChange(session, to, which, options));
}
