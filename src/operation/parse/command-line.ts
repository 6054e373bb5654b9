import { redact } from "../../lib/redact.ts";
import type { Context } from "./context.ts";
import { parseDocker } from "./docker.ts";
import { checkFilter, isFilter, isPrinter } from "./filters.ts";
import { isHostRead, parseHostRead } from "./host-reads.ts";
import { parseKubectl } from "./kubectl.ts";
import { readProgram } from "./lex.ts";
import { excerpt, refuse } from "./refused.ts";
import { parseSsh, remoteVerdict } from "./ssh.ts";
import { parseJournalctl, parseSystemctl } from "./systemd.ts";
import { TextCursor } from "./text-cursor.ts";
import { readOnlyVerdict, type ToolParser, type Verdict } from "./verdict.ts";
import { type Command, mayBeFlag, type Program, requireKnown, type Word } from "./word.ts";

/** Where a command runs: on this machine or, through ssh, on a host; with piped input or not. */
type CommandPosition = { context: Context; remote: boolean; piped: boolean };

const TOOLS: ReadonlyMap<string, ToolParser> = new Map([
  ["kubectl", parseKubectl],
  ["docker", parseDocker],
  ["systemctl", parseSystemctl],
  ["journalctl", parseJournalctl],
]);

// The only allowed redirection targets: descriptors and the null device, so that no file is written or read.
const DESCRIPTOR = /^(\d|-)$/;
const NULL_DEVICE = "/dev/null";

function checkRedirection({ operator, target, body }: Command["redirections"][number]): void {
  const kind = operator.replace(/^\d+/, "");
  // A here-document or here-string only passes text on.
  if (body !== null || kind.startsWith("<<")) return;
  const name = requireKnown(target, `what ${excerpt(operator)} names`);
  if (name === NULL_DEVICE) return;
  if ((kind === ">&" || kind === "<&") && DESCRIPTOR.test(name)) return;
  refuse(
    kind === "<" ? `${excerpt(name)} is read as input` : `${excerpt(operator)} writes to ${excerpt(name)}`,
  );
}

const NAMED = /\$\{?([A-Za-z_]\w*)/g;

/** Refuses printing a variable whose name marks it as a secret. */
function checkPrintedVariables(words: readonly Word[]): void {
  for (const word of words) {
    if (word.unknown === null) continue;
    for (const [, name = ""] of word.text.matchAll(NAMED)) {
      const { [name]: shows } = redact({ [name]: "" }) as Record<string, string>;
      if (shows !== "") refuse(`$${name} discloses its value`);
    }
  }
}

/** Refuses `printf -v`, which sets a variable. It is printf's only flag and comes before the format. */
function checkPrintfFormat(first: Word | undefined): void {
  if (first === undefined || first.text === "--") return;
  if (first.head.startsWith("-") || (first.head === "" && mayBeFlag(first))) {
    refuse(`printf -v sets a variable, and ${excerpt(first.text)} may be that`);
  }
}

/**
 * Refuses a word after `<name>`, since a shell would write to a file of that name; except a flag of a known
 * tool or kubectl's verb, which are harmless file names. `--` is no flag: without it, words after it become flags.
 */
function checkWordsAfterAngles(words: readonly Word[]): void {
  const at = words.findIndex((word) => word.afterAngle);
  const word = words[at];
  if (word === undefined) return;
  const tool = words[0]?.text ?? "";
  const before = words.slice(1, at - 1);
  const isVerb = tool === "kubectl" && before.every(({ head }) => head.startsWith("-"));
  const isHarmless = (word.head.startsWith("-") || isVerb) && word.text !== "--";
  if (!TOOLS.has(tool) || !isHarmless) {
    refuse(`a shell writes to ${excerpt(word.text)}, which follows ${excerpt(words[at - 1]?.text ?? "")}`);
  }
  checkWordsAfterAngles([...words.slice(0, at), { ...word, afterAngle: false }, ...words.slice(at + 1)]);
}

/** Returns whether a text begins with a command that is parsed here. */
export function beginsAsCommand(text: string): boolean {
  const [, name = ""] = /^\s*(?:sudo\s+)?([a-z]+)(?=\s|$)/.exec(text) ?? [];
  return TOOLS.has(name) || name === "ssh" || isHostRead(name) || isPrinter(name);
}

/** Removes a leading `sudo` or `sudo -n`; refuses other options. */
function withoutSudo(words: readonly Word[]): readonly Word[] {
  if (words[0]?.text !== "sudo" || words[0].unknown !== null) return words;
  const at = words[1]?.text === "-n" ? 2 : 1;
  const next = words[at];
  if (next === undefined) refuse("sudo has no command");
  if (next.head.startsWith("-") || next.text.includes("="))
    refuse(`sudo ${excerpt(next.text)} is not supported`);
  // Root's kubeconfig and ssh keys are another identity than the configured one.
  if (["kubectl", "ssh", "sudo"].includes(next.text)) refuse(`sudo runs ${next.text} under another identity`);
  return words.slice(at);
}

/** Handles kubectl on a host: it uses the host's own kubeconfig, whose cluster an operation cannot name. */
function kubectlOnHost(verdict: Verdict): Verdict {
  if (verdict.class === "read_only") return { ...verdict, operation: null };
  return refuse(
    "kubectl on a host changes the cluster of the host's own kubeconfig, which is not configured here",
  );
}

/** Returns the verdict on a known tool; null for a helper command (a filter, or one that only prints). */
function toolVerdict(words: readonly Word[], { context, remote, piped }: CommandPosition): Verdict | null {
  const [first] = words;
  if (first === undefined) return refuse("there is no command");
  const name = requireKnown(first, "the command");
  const others = words.slice(1);
  const tool = TOOLS.get(name);
  if (tool !== undefined) {
    const verdict = tool(others, context);
    return remote && name === "kubectl" ? kubectlOnHost(verdict) : verdict;
  }
  if (name === "ssh") {
    if (remote) refuse("ssh from one host to another is not supported");
    const found = parseSsh(others);
    return remoteVerdict(found, parseCommandLine(found.command, { ...context, host: found.host }, true));
  }
  if (isFilter(name) && piped) checkFilter(name, others);
  else if (isHostRead(name)) return parseHostRead(name, others, context);
  else if (isPrinter(name)) {
    if (name === "printf") checkPrintfFormat(others[0]);
    checkPrintedVariables(others);
  } else {
    const tools = "kubectl, docker, systemctl, journalctl, ssh";
    refuse(
      `${excerpt(name)} is not a supported command: ${tools}, commands that show a machine's state, filters after a pipe`,
    );
  }
  return null;
}

/** Refuses substitutions that change something, since they run in any case. */
function checkSubstitutions(words: readonly Word[], position: CommandPosition): void {
  for (const { program } of words.flatMap((word) => word.parts)) {
    if (program === undefined) continue;
    if (programVerdict(program, { ...position, piped: false }).class !== "read_only") {
      refuse("a substitution changes something");
    }
  }
}

function commandVerdict(command: Command, position: CommandPosition): Verdict | null {
  const { assignments, words, redirections } = command;
  const [assigned] = assignments;
  if (assigned !== undefined) {
    refuse(`${excerpt(assigned.text)} sets a variable, which changes what the commands after it do`);
  }
  const files = redirections.flatMap(({ target, body }) => (body === null ? [target] : [target, body]));
  checkSubstitutions([...words, ...files], position);
  const bare = withoutSudo(words);
  checkWordsAfterAngles(bare);
  const verdict = toolVerdict(bare, position);
  if (redirections.some(({ body }) => body !== null && body.unknown !== null)) {
    refuse("a here-document holds variables or substitutions");
  }
  // Checked after the command, whose own reason is more specific.
  redirections.forEach(checkRedirection);
  return verdict;
}

/** Returns why a change is refused for not being the only command in the text; null: it is. */
function whyNotAlone({ pipelines, comment }: Program): string | null {
  const [pipeline] = pipelines;
  const commands = pipelines.flatMap((one) => one.commands);
  if (commands.length > 1 || pipelines.length > 1) return "more than one command is in the text";
  if (pipeline !== undefined && pipeline.end !== "" && pipeline.end !== "\n") {
    return `${excerpt(pipeline.end)} follows it`;
  }
  if (commands.some((one) => one.redirections.length > 0)) return "its input or output is redirected";
  return comment ? "a comment follows it" : null;
}

function programVerdict(program: Program, position: CommandPosition): Verdict {
  const found: Verdict[] = [];
  let helpers = 0;
  for (const { commands } of program.pipelines) {
    for (const [index, command] of commands.entries()) {
      const verdict = commandVerdict(command, { ...position, piped: index > 0 });
      if (verdict === null) helpers += 1;
      else found.push(verdict);
    }
  }
  const [first] = found;
  if (first === undefined)
    return helpers > 0 ? readOnlyVerdict("only prints") : refuse("no command is in it");
  const changing = found.find((one) => one.class === "operation");
  if (changing !== undefined) {
    const why = whyNotAlone(program);
    return why === null ? changing : refuse(`${changing.reason}, and must stand alone: ${why}`);
  }
  const alone = found.length === 1 && helpers === 0;
  return alone
    ? first
    : readOnlyVerdict(found.length === 1 ? first.reason : "every command in it only reads");
}

/** Parses a command line and returns its verdict; throws `Refused`. */
export function parseCommandLine(text: string, context: Context, remote = false): Verdict {
  const program = readProgram(new TextCursor(text, { remote }), "");
  return programVerdict(program, { context, remote, piped: false });
}
