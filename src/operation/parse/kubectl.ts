import type { Context } from "./context.ts";
import { Flags, type ReadFlags, readFlags, readLeadingFlags } from "./flags.ts";
import { parseKubectlChange } from "./kubectl-change.ts";
import { kindOf } from "./kubectl-kinds.ts";
import { parseKubectlRead } from "./kubectl-read.ts";
import {
  GLOBAL_FLAGS,
  GROUPS,
  REFUSED_GLOBAL_FLAGS,
  REFUSED_VERBS,
  VERBS,
  type Verb,
} from "./kubectl-table.ts";
import { excerpt, refuse } from "./refused.ts";
import type { KubectlCommand } from "./tool-command.ts";
import { mayShiftWords } from "./unknown-words.ts";
import type { Verdict } from "./verdict.ts";
import { requireKnown, splits, type UnknownPart, type Word } from "./word.ts";

function checkGlobalFlags(names: readonly string[]): void {
  for (const name of names) {
    const reason = REFUSED_GLOBAL_FLAGS.get(name);
    if (reason !== undefined) refuse(`${name} ${reason}`);
  }
}

const TOP: Readonly<Record<string, string>> = Object.fromEntries(
  ["pod", "pods", "po", "node", "nodes", "no"].map((word) => [`top ${word}`, `top ${kindOf(word)}`]),
);

/** Returns the index of the first word that is neither a global flag nor its value; -1 when that is not clear. */
function firstOperand(words: readonly Word[]): number {
  let at = 0;
  for (let word = words[0]; word?.head.startsWith("-"); word = words[at]) {
    const flag = GLOBAL_FLAGS.get(word.head.split("=")[0] ?? "");
    if (flag === undefined) return -1;
    at += flag.takes === "value" && !word.head.includes("=") ? 2 : 1;
  }
  return at < words.length ? at : -1;
}

const isTemplate = ({ origin, splits }: UnknownPart): boolean => origin === "placeholder" && splits;

/** Returns the longest verb that the words begin with (`rollout restart`, `top pod`, `get`), and all other words. */
function verbOf(words: readonly Word[]): { name: string; verb: Verb; others: Word[]; mayShift: boolean } {
  const first = readLeadingFlags(words, GLOBAL_FLAGS, "kubectl");
  const mayShift = mayShiftWords(first);
  const template = first.flags.find(({ value }) => value !== true && value.parts.some(isTemplate));
  if (template !== undefined)
    refuse(`the blanks in the value of ${template.name} may make a shell read another verb`);
  checkGlobalFlags(first.flags.map((one) => one.name));
  const at = words[first.next];
  if (at === undefined || first.rest !== null) refuse("kubectl has no verb");
  const one = requireKnown(at, "the verb of kubectl");
  const behind = words.slice(first.next + 1);
  const place = firstOperand(behind);
  const second = behind[place];
  const two = second === undefined || second.unknown !== null ? null : `${one} ${second.text}`;
  for (const name of two === null ? [one] : [TOP[two] ?? two, one]) {
    const verb = VERBS.get(name);
    const rest = name === one ? behind : behind.filter((_, index) => index !== place);
    if (verb !== undefined) return { name, verb, others: [...words.slice(0, first.next), ...rest], mayShift };
    const reason = REFUSED_VERBS.get(name);
    if (reason !== undefined) refuse(`kubectl ${name} ${reason}`);
  }
  const what = GROUPS.has(one) && two !== null ? two : one;
  return refuse(`${excerpt(what)} is not a known verb of kubectl`);
}

/** Refuses `--vmodule`, and `-v` from 6 on: there kubectl logs its requests, with headers and bodies, secrets too. */
function checkVerbosity(flags: ReadFlags["flags"]): void {
  for (const { name, value } of flags) {
    if (name === "--vmodule") refuse("--vmodule can log what the server sends, including secrets");
    if (name !== "--v" || value === true) continue;
    const level = requireKnown(value, "the value of -v");
    if (!/^[0-5]$/.test(level)) refuse(`-v=${level} can log what the server sends, including secrets`);
  }
}

// `events` is left out: it is a verb and also a kind of object.
const VERB_WORDS = new Set(
  [...VERBS.keys(), ...REFUSED_VERBS.keys()]
    .flatMap((name) => name.split(" ")[0] ?? [])
    .filter((word) => word !== "events"),
);

/** Refuses a hidden verb: in `-n $X get delete pod` with an empty $X, `get` is the namespace and `delete` the verb. */
function checkMovedVerb({ flags, operands }: ReadFlags): void {
  const values = flags.flatMap(({ value, separate }) => (separate && value !== true ? [value] : []));
  const moved = [...operands, ...(values.filter(splits).length > 1 ? values : [])];
  const verb = moved.find((word) => VERB_WORDS.has(word.text) || word.parts.some(isTemplate));
  if (verb !== undefined) refuse(`${excerpt(verb.text)} becomes the verb if the value before it is empty`);
}

/** Parses a kubectl command into a read or a typed operation; refuses everything else with its reason. */
export function parseKubectl(words: readonly Word[], context: Context): Verdict {
  const { name, verb, others, mayShift } = verbOf(words);
  const read = readFlags(others, verb.flags, `kubectl ${name}`);
  checkGlobalFlags(read.flags.map((one) => one.name));
  if (read.rest !== null && read.rest.length > 0) refuse(`kubectl ${name} has words after "--"`);
  checkVerbosity(read.flags);
  if (mayShift && !name.includes(" ")) checkMovedVerb(read);
  const flags = new Flags(read.flags);
  const command: KubectlCommand = { tool: "kubectl", verb: name, flags, operands: read.operands, context };
  return verb.changes
    ? parseKubectlChange(command, verb.operations)
    : parseKubectlRead(command, read, verb.operations);
}
