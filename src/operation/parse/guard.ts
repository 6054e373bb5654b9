import { redact } from "../../lib/redact.ts";
import { docker } from "./docker.ts";
import { filter, isFilter, isSayer } from "./filters.ts";
import { hostRead, isHostRead } from "./host-reads.ts";
import { kubectl } from "./kubectl.ts";
import { readProgram } from "./lex.ts";
import { refuse, shown } from "./refused.ts";
import { Source } from "./source.ts";
import { onHost, remoteOf } from "./ssh.ts";
import { journalctl, systemctl } from "./systemd.ts";
import { type Context, type Grammar, reads, type Verdict } from "./verdict.ts";
import { type Command, known, mayBeFlag, type Program, type Word } from "./word.ts";

/** Where a command stands: on this machine or, through ssh, on a host; behind a pipe or not. */
type Place = { context: Context; remote: boolean; piped: boolean };

const TOOLS: ReadonlyMap<string, Grammar> = new Map([
  ["kubectl", kubectl],
  ["docker", docker],
  ["systemctl", systemctl],
  ["journalctl", journalctl],
]);

// What a redirection may name: nothing is written to a file, and nothing is read from one.
const DESCRIPTOR = /^(\d|-)$/;
const NULL_DEVICE = "/dev/null";

function guardRedirection({ operator, target, body }: Command["redirections"][number]): void {
  const kind = operator.replace(/^\d+/, "");
  // A here-document or a here-string only hands text on.
  if (body !== null || kind.startsWith("<<")) return;
  const name = known(target, `what ${shown(operator)} names`);
  if (name === NULL_DEVICE) return;
  if ((kind === ">&" || kind === "<&") && DESCRIPTOR.test(name)) return;
  refuse(kind === "<" ? `${shown(name)} is read as input` : `${shown(operator)} writes to ${shown(name)}`);
}

const NAMED = /\$\{?([A-Za-z_]\w*)/g;

/** What is printed is seen: not a variable whose name says that it is a secret. */
function guardPrinted(words: readonly Word[]): void {
  for (const word of words) {
    if (word.unknown === null) continue;
    for (const [, name = ""] of word.text.matchAll(NAMED)) {
      const { [name]: shows } = redact({ [name]: "" }) as Record<string, string>;
      if (shows !== "") refuse(`$${name} discloses what it holds`);
    }
  }
}

/** printf has one flag, `-v`, and only in front of its format. */
function guardFormat(first: Word | undefined): void {
  if (first === undefined || first.text === "--") return;
  if (first.head.startsWith("-") || (first.head === "" && mayBeFlag(first))) {
    refuse(`printf -v sets a variable, and ${shown(first.text)} may be that`);
  }
}

/**
 * A shell writes to what stands behind `<name>`. Of our tools that may be a flag or kubectl's verb, which are
 * words of ours and no names of files.
 */
function guardAngles(words: readonly Word[]): void {
  const at = words.findIndex((word) => word.behindAngle);
  const word = words[at];
  if (word === undefined) return;
  const tool = words[0]?.text ?? "";
  const before = words.slice(1, at - 1);
  const isVerb = tool === "kubectl" && before.every(({ head }) => head.startsWith("-"));
  if (!TOOLS.has(tool) || !(word.head.startsWith("-") || isVerb)) {
    refuse(`a shell writes to ${shown(word.text)}, which stands behind ${shown(words[at - 1]?.text ?? "")}`);
  }
  guardAngles([...words.slice(0, at), { ...word, behindAngle: false }, ...words.slice(at + 1)]);
}

/** Whether a text begins as a command that is read here does. */
export function beginsAsCommand(text: string): boolean {
  const [, name = ""] = /^\s*(?:sudo\s+)?([a-z]+)(?=\s|$)/.exec(text) ?? [];
  return TOOLS.has(name) || name === "ssh" || isHostRead(name) || isSayer(name);
}

/** Takes `sudo` off, in the one form that only says who runs it. */
function withoutSudo(words: readonly Word[]): readonly Word[] {
  if (words[0]?.text !== "sudo" || words[0].unknown !== null) return words;
  const at = words[1]?.text === "-n" ? 2 : 1;
  const next = words[at];
  if (next === undefined) refuse("sudo has no command");
  if (next.head.startsWith("-") || next.text.includes("=")) refuse(`sudo ${shown(next.text)} is not read`);
  // Root's kubeconfig and root's ssh keys are another identity than the one that was configured.
  if (["kubectl", "ssh", "sudo"].includes(next.text)) refuse(`sudo changes whose ${next.text} it is`);
  return words.slice(at);
}

/** kubectl on a host acts on the cluster of that host's own kubeconfig, which an operation cannot name. */
function ofAnotherCluster(verdict: Verdict): Verdict {
  if (verdict.class === "read_only") return { ...verdict, operation: null };
  return refuse("kubectl on a host changes a cluster that only the host knows");
}

/** What one of our tools says; null for a command that is only there to help it. */
function toolVerdict(words: readonly Word[], { context, remote, piped }: Place): Verdict | null {
  const [first] = words;
  if (first === undefined) return refuse("there is no command");
  const name = known(first, "the command");
  const others = words.slice(1);
  const tool = TOOLS.get(name);
  if (tool !== undefined) {
    const verdict = tool(others, context);
    return remote && name === "kubectl" ? ofAnotherCluster(verdict) : verdict;
  }
  if (name === "ssh") {
    if (remote) refuse("ssh from a host to another is not read");
    const found = remoteOf(others);
    return onHost(found, judge(found.command, { ...context, host: found.host }, true));
  }
  if (isFilter(name) && piped) filter(name, others);
  else if (isHostRead(name)) return hostRead(name, others, context);
  else if (isSayer(name)) {
    if (name === "printf") guardFormat(others[0]);
    guardPrinted(others);
  } else {
    const none = `${shown(name)} is not kubectl, docker, systemctl, journalctl or ssh`;
    refuse(`${none}, nor a look at a machine, nor a filter behind a pipe`);
  }
  return null;
}

/** Substitutions run whatever the command is for, so they must only read. */
function guardSubstitutions(words: readonly Word[], place: Place): void {
  for (const { program } of words.flatMap((word) => word.parts)) {
    if (program === undefined) continue;
    if (programVerdict(program, { ...place, piped: false }).class !== "read_only") {
      refuse("a substitution changes something");
    }
  }
}

function commandVerdict(command: Command, place: Place): Verdict | null {
  const { assignments, words, redirections } = command;
  const [assigned] = assignments;
  if (assigned !== undefined) {
    refuse(`${shown(assigned.text)} sets a variable, which changes what commands behind it do`);
  }
  const files = redirections.flatMap(({ target, body }) => (body === null ? [target] : [target, body]));
  guardSubstitutions([...words, ...files], place);
  const bare = withoutSudo(words);
  guardAngles(bare);
  const verdict = toolVerdict(bare, place);
  if (redirections.some(({ body }) => body !== null && body.unknown !== null)) {
    refuse("a here-document holds variables or substitutions");
  }
  // After the command itself, whose own reason says more.
  redirections.forEach(guardRedirection);
  return verdict;
}

/** Why a change cannot be an operation although its command is one: it has to stand alone, as it is. */
function notAlone({ pipelines, comment }: Program): string | null {
  const [pipeline] = pipelines;
  const commands = pipelines.flatMap((one) => one.commands);
  if (commands.length > 1 || pipelines.length > 1) return "more than one command is in the text";
  if (pipeline !== undefined && pipeline.end !== "" && pipeline.end !== "\n") {
    return `${shown(pipeline.end)} stands behind it`;
  }
  if (commands.some((one) => one.redirections.length > 0)) return "its input or output is redirected";
  return comment ? "a comment stands behind it" : null;
}

function programVerdict(program: Program, place: Place): Verdict {
  const found: Verdict[] = [];
  let helpers = 0;
  for (const { commands } of program.pipelines) {
    for (const [index, command] of commands.entries()) {
      const verdict = commandVerdict(command, { ...place, piped: index > 0 });
      if (verdict === null) helpers += 1;
      else found.push(verdict);
    }
  }
  const [first] = found;
  if (first === undefined) return helpers > 0 ? reads("only prints") : refuse("no command is in it");
  const changing = found.find((one) => one.class === "operation");
  if (changing !== undefined) {
    const why = notAlone(program);
    return why === null ? changing : refuse(`${changing.reason}, and must stand alone: ${why}`);
  }
  const alone = found.length === 1 && helpers === 0;
  return alone ? first : reads(found.length === 1 ? first.reason : "every command in it only reads");
}

/** Reads a command line and says what it comes to; throws `Refused`. */
export function judge(text: string, context: Context, remote = false): Verdict {
  const program = readProgram(new Source(text, { remote }), "");
  return programVerdict(program, { context, remote, piped: false });
}
