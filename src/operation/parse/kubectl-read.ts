import { isSecretKind } from "../names.ts";
import type { ReadFlags } from "./flags.ts";
import { flagNames } from "./flags.ts";
import { COMMON_FLAGS } from "./kubectl-flags.ts";
import { kindOf } from "./kubectl-kinds.ts";
import { HARMLESS_PATHS, type Verb } from "./kubectl-table.ts";
import { excerpt, refuse } from "./refused.ts";
import type { KubectlCommand } from "./tool-command.ts";
import { checkUnknownOperands, checkUnknownValues, mayShiftWords } from "./unknown-words.ts";
import { readOnlyVerdict, type Verdict } from "./verdict.ts";
import { unknownIn, type Word } from "./word.ts";

/** Output formats that show only an object's name and a line about it. */
const OUTPUT_WITHOUT_CONTENT = new Set(["", "wide", "name"]);

/** Returns the kinds that the operands name (`pods,svc`, or `deploy/api pod/x`); null when one is not known. */
function kindsOf(operands: readonly Word[]): string[] | null {
  const withName = operands.filter((word) => word.text.includes("/"));
  const naming = withName.length > 0 ? withName : operands.slice(0, 1);
  const kinds = naming.map((word) => (word.text.includes("/") ? word.text.split("/")[0] : word.text) ?? "");
  const unclear = naming.some((word, index) => word.head.length < (kinds[index]?.length ?? 0));
  return unclear ? null : kinds.flatMap((kind) => kind.split(",")).map(kindOf);
}

/** Verbs besides `get` with a flag that discloses or writes: wait -o, config view --raw, cluster-info dump's folder. */
const VERBS_WITH_HARMFUL_FLAGS = new Set(["wait", "config view", "cluster-info", "cluster-info dump"]);
/** Output formats that take their template from a file and so print it. */
const TEMPLATE_FROM_FILE = /^(?:[a-z-]+-file|templatefile)(?:=|$)/;

/** Refuses unknown words that may become such a flag. `get` with a fixed kind that is no secret has no harmful flag. */
function checkUnknownWords({ verb, operands }: KubectlCommand, read: ReadFlags): void {
  const what = `kubectl ${verb}`;
  const [first] = operands;
  const kinds = kindsOf(operands);
  const fixed = first?.unknown === null && !first.text.includes("/") && kinds?.some(isSecretKind) === false;
  const harmful = VERBS_WITH_HARMFUL_FLAGS.has(verb);
  checkUnknownOperands(operands, harmful || (verb === "get" && !fixed) ? "harm" : "redirect", what);
  checkUnknownValues(read, !harmful, what);
}

/** Refuses output that shows the content of secrets, or of objects that might be secrets. */
function checkSecretOutput({ flags, operands }: KubectlCommand, read: ReadFlags): void {
  const output = flags.has("--template") ? "template" : (flags.text("--output") ?? "");
  const data = !OUTPUT_WITHOUT_CONTENT.has(output);
  const fromFile = flags.has("--filename") || flags.has("--kustomize");
  const kinds = kindsOf(operands);
  if (!data) return;
  if (kinds === null || fromFile) {
    refuse(`the kind shown as ${excerpt(output)} is not known and might be a secret`);
  }
  const secret = kinds.find(isSecretKind);
  if (secret !== undefined) refuse(`${excerpt(secret)} shown as ${excerpt(output)} discloses its content`);
  // If a flag's value may be empty, the words shift and any of them may be the kind.
  const words = mayShiftWords(read) ? [...operands, ...flags.words] : [];
  const moved = words.find((word) => isSecretKind(word.text));
  if (moved !== undefined)
    refuse(`${excerpt(moved.text)} may be the kind that is shown as ${excerpt(output)}`);
}

function checkRawPath({ flags }: KubectlCommand): void {
  if (!flags.has("--raw")) return;
  const path = flags.value("--raw") ?? "";
  if (!HARMLESS_PATHS.test(path)) refuse(`--raw ${excerpt(path)} may read any object`);
}

const VERB_CHECKS: Readonly<Record<string, (command: KubectlCommand, read: ReadFlags) => void>> = {
  get: (command, read) => {
    checkRawPath(command);
    if (!command.flags.has("--raw")) checkSecretOutput(command, read);
  },
  wait: checkSecretOutput,
  "config view": ({ flags }) => {
    if (flags.has("--raw") && flags.on("--raw")) refuse("--raw of kubectl config view discloses credentials");
  },
  "apply view-last-applied": () => refuse("kubectl apply view-last-applied can show the content of a secret"),
};

const ENDLESS = ["--follow", "--watch", "--watch-only"];

/** Returns the typed read for a command; null when there is none. */
function candidate(
  command: KubectlCommand,
  operations: Verb["operations"],
): Parameters<typeof readOnlyVerdict>[1] {
  for (const { kind, flags, read } of operations) {
    const understood = [...COMMON_FLAGS, ...flagNames([flags])];
    const reading = command.flags.names.every((name) => understood.includes(name)) ? read(command) : null;
    if (reading !== null) return { kind, ...reading };
  }
  return null;
}

/** Parses a reading kubectl command; refuses one that would disclose credentials. */
export function parseKubectlRead(
  command: KubectlCommand,
  read: ReadFlags,
  operations: Verb["operations"],
): Verdict {
  const { verb, flags, operands } = command;
  VERB_CHECKS[verb]?.(command, read);
  checkUnknownWords(command, read);
  const output = flags.text("--output") ?? "";
  if (TEMPLATE_FROM_FILE.test(output)) refuse(`--output ${excerpt(output)} prints a file`);
  const endless = ENDLESS.find((name) => verb !== "rollout status" && flags.has(name) && flags.on(name));
  if (endless !== undefined) return readOnlyVerdict(`reads, and goes on until it is stopped (${endless})`);
  const unknown = unknownIn([...operands, ...flags.words]);
  if (unknown !== null) return readOnlyVerdict(`only reads, whatever ${excerpt(unknown)} stands for`);
  return readOnlyVerdict(`kubectl ${verb} only reads`, candidate(command, operations));
}
