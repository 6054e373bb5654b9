import { COMMANDS } from "./docker-table.ts";
import { type ReadFlags, readFlags } from "./flags.ts";
import { VERBS } from "./kubectl-table.ts";
import { refuse, shown } from "./refused.ts";
import { type Command, mayBeFlag, type Program, splits, type Word } from "./word.ts";

const NAMES = /^(?:name|jsonpath=\{(?:\.items\[(?:\d{1,3}|\*)\])?\.metadata\.name\})$/;

/** A command that prints names or ids of objects and nothing else: none of them is a flag. */
function printsNames({ words, redirections }: Command): boolean {
  const [tool, verb] = words.map((word) => word.text);
  if (redirections.length > 0 || words.some(isChosen)) return false;
  if (tool === "kubectl") {
    const { flags, operands } = readFlags(
      words.slice(1),
      VERBS.get("get")?.flags ?? new Map(),
      "kubectl get",
    );
    const outputs = flags.filter(({ name }) => ["--output", "--template", "--raw"].includes(name));
    const named = outputs.every(({ value }) => value !== true && NAMES.test(value.text));
    return operands[0]?.text === "get" && outputs.length > 0 && named;
  }
  if (tool !== "docker" || verb !== "ps") return false;
  const names = readFlags(words.slice(2), COMMANDS.get("ps")?.flags ?? new Map(), "docker ps").flags.map(
    ({ name }) => name,
  );
  return names.includes("--quiet") && !names.includes("--format");
}

/** Whether what a substitution prints are names of objects, and perhaps only the first or last of them. */
function namesOnly({ pipelines }: Program): boolean {
  const [pipeline] = pipelines;
  if (pipeline === undefined || pipelines.length > 1) return false;
  const [first, ...others] = pipeline.commands;
  const picks = others.every(({ words, redirections }) => {
    const text = words.map((word) => word.text).join(" ");
    return redirections.length === 0 && /^(?:head|tail)(?: -(?:n ?)?\d{1,4})?$/.test(text);
  });
  return first !== undefined && picks && printsNames(first);
}

/** Whether the text itself says what stands in a part of the word, other than names of objects. */
const isChosen = ({ parts }: Word): boolean =>
  parts.some(({ origin, program }) => origin === "chosen" && (program === undefined || !namesOnly(program)));

/**
 * What flags of a command could do that stand in an unknown word: `harm` where one changes or discloses
 * something; `lead` where the worst are those that say who asks and whom, which are the environment's to choose
 * and never the text's; `nothing`.
 */
export type Danger = "harm" | "lead" | "nothing";

/** Refuses unknown operands that may become flags, or several words, which `danger` then says what they do. */
export function guardOperands(operands: readonly Word[], danger: Danger, what: string): void {
  const bad = operands.find((word) => mayBeFlag(word) && (danger === "harm" || isChosen(word)));
  if (bad !== undefined && danger !== "nothing") {
    refuse(`${shown(bad.text)} may become a flag of ${what}, or several words: quote it, behind "--"`);
  }
}

/**
 * Refuses values of flags of which a shell may make several words. With `variables` those that the environment
 * chooses are taken for one value; as an empty one makes the next word the value, nothing that then moves may
 * come to a flag.
 */
export function guardValues({ flags, rest }: ReadFlags, variables: boolean, what: string): void {
  let loose: Word | undefined;
  for (const { name, value, apart } of flags) {
    if (value === true) continue;
    if (splits(value) && (!variables || isChosen(value))) {
      refuse(`${shown(value.text)}, the value of ${name}, may become several words of ${what}: quote it`);
    }
    if (apart && loose !== undefined && value.sure.startsWith("-")) moved(value, loose);
    if (apart && splits(value)) loose ??= value;
  }
  const dashed = rest?.find((word) => word.sure.startsWith("-"));
  if (dashed !== undefined && loose !== undefined) moved(dashed, loose);
}

function moved(word: Word, loose: Word): never {
  return refuse(`${shown(word.text)} is a flag where ${shown(loose.text)} is empty`);
}

/** Whether a value that stands apart from its flag may come to nothing, so that the next word takes its place. */
export function isLoose({ flags }: Pick<ReadFlags, "flags">): boolean {
  return flags.some(({ value, apart }) => apart && value !== true && splits(value));
}
