import { COMMANDS } from "./docker-table.ts";
import { type ReadFlags, readFlags } from "./flags.ts";
import { VERBS } from "./kubectl-table.ts";
import { excerpt, refuse } from "./refused.ts";
import { type Command, mayBeFlag, type Program, splits, type Word } from "./word.ts";

const NAMES = /^(?:name|jsonpath=\{(?:\.items\[(?:\d{1,3}|\*)\])?\.metadata\.name\})$/;

/** Returns whether a command prints only names or ids of objects, which are never flags. */
function printsNames({ words, redirections }: Command): boolean {
  const [tool, verb] = words.map((word) => word.text);
  if (redirections.length > 0 || words.some(isComputed)) return false;
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

/** Returns whether a substitution prints only names of objects, or the first or last of them. */
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

/** Returns whether the text itself determines an unknown part of the word, other than as names of objects. */
const isComputed = ({ parts }: Word): boolean =>
  parts.some(
    ({ origin, program }) => origin === "computed" && (program === undefined || !namesOnly(program)),
  );

/**
 * What a flag hidden in an unknown word could do: `harm`: change or disclose something; `redirect`: at worst choose another
 * identity or server, which the environment may do but the text must not.
 */
type Danger = "harm" | "redirect";

/** Refuses unknown operands that may become flags or several words; `danger` is what such a flag could do. */
export function checkUnknownOperands(operands: readonly Word[], danger: Danger, what: string): void {
  const bad = operands.find((word) => mayBeFlag(word) && (danger === "harm" || isComputed(word)));
  if (bad !== undefined) {
    refuse(
      `${excerpt(bad.text)} may become a flag of ${what}, or several words: quote it and put it after "--"`,
    );
  }
}

/**
 * Refuses flag values that a shell may split into several words. With `variables`, values chosen by the environment
 * count as one word; since an empty one would make the next word the value, no word that moves then may become a flag.
 * An unknown operand moves words, too: if it is a flag, it may take the next word as its value (`"$X" -l --raw=/` with
 * `-n` in `$X`).
 */
export function checkUnknownValues(
  { flags, operands, rest }: ReadFlags,
  variables: boolean,
  what: string,
): void {
  const hidden = (behind: number) => operands.slice(0, behind).find(mayBeFlag);
  let shifting: Word | undefined;
  for (const { name, value, separate, behind } of flags) {
    if (value === true) continue;
    if (splits(value) && (!variables || isComputed(value))) {
      refuse(`${excerpt(value.text)}, the value of ${name}, may become several words of ${what}: quote it`);
    }
    const moving = shifting ?? hidden(behind);
    if (separate && moving !== undefined && isFlagIfMoved(value)) refuseMovedFlag(value, moving);
    if (separate && splits(value)) shifting ??= value;
  }
  const dashed = rest?.find(isFlagIfMoved);
  const moving = shifting ?? hidden(operands.length);
  if (dashed !== undefined && moving !== undefined) refuseMovedFlag(dashed, moving);
}

/**
 * Returns whether a word is a flag where it is not a value: by its text, or by what the text computes. A number, as of
 * `--tail -1`, is no tool's flag.
 */
function isFlagIfMoved(word: Word): boolean {
  if (/^-\d*[smhd]?$/.test(word.text)) return false;
  return word.knownText.startsWith("-") || (mayBeFlag(word) && isComputed(word));
}

function refuseMovedFlag(word: Word, shifting: Word): never {
  return refuse(
    `${excerpt(word.text)} becomes a flag if ${excerpt(shifting.text)} is empty, or a flag that takes a value`,
  );
}

/** Returns whether a separate flag value may expand to nothing, so that the next word becomes the value. */
export function mayShiftWords({ flags }: Pick<ReadFlags, "flags">): boolean {
  return flags.some(({ value, separate }) => separate && value !== true && splits(value));
}
