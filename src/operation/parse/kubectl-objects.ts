import type { OperationTarget } from "../../contract/incident.ts";
import { withArticle } from "../../lib/words.ts";
import { kindOf } from "./kubectl-table.ts";
import { refuse, shown } from "./refused.ts";
import type { Context, Flags } from "./verdict.ts";
import { known, type Word } from "./word.ts";

/** A kubectl command whose verb and flags are known ones. */
export type Kubectl = { verb: string; flags: Flags; operands: readonly Word[]; context: Context };

/** Where playbooks name the incident's own target. */
const TARGET = "{target}";

/** A name, with `{target}` filled in where the context has a target of this kind. */
function nameOf(word: Word, text: string, kind: string, target: OperationTarget | undefined): string {
  if (target === undefined || word.text !== word.head + TARGET || text !== TARGET) {
    known(word, "the name of what is changed");
    return text;
  }
  if (target.kind === kind) return target.name;
  return refuse(`${TARGET} is ${withArticle(target.kind)}, and the command is about ${withArticle(kind)}`);
}

/** The one object that a change is about; refuses several, and those that only a selector or a file names. */
export function oneObject({ verb, operands, context }: Kubectl): { kind: string; name: string } {
  const [first, second] = operands;
  if (first === undefined) refuse(`kubectl ${verb} names nothing that it should act on`);
  const slash = first.head.indexOf("/");
  const kind = kindOf(slash < 0 ? known(first, "the kind of what is changed") : first.head.slice(0, slash));
  if (kind.includes(",")) refuse(`${shown(kind)} are several kinds, and an operation is about one object`);
  const name = slash < 0 ? second : first;
  if (name === undefined) refuse(`kubectl ${verb} ${kind} names no single ${kind}`);
  const others = operands.slice(slash < 0 ? 2 : 1);
  if (others[0] !== undefined) {
    refuse(`${shown(others[0].text)} is one more object, and an operation is about one`);
  }
  return { kind, name: nameOf(name, name.text.slice(slash < 0 ? 0 : slash + 1), kind, context.target) };
}

/** Whether the object was named as `{target}`, whose place then is the incident's. */
function isTarget({ operands, context }: Kubectl): OperationTarget | undefined {
  return operands.some((word) => word.text.endsWith(TARGET)) ? context.target : undefined;
}

/** The cluster that `--context` names, else the one that is known. */
export function clusterOf(command: Kubectl): { cluster?: string } {
  const { flags, context } = command;
  const target = isTarget(command);
  const cluster = flags.value("--context") ?? target?.cluster ?? context.cluster;
  if (target?.cluster !== undefined && target.cluster !== cluster) {
    refuse(`${TARGET} is in ${target.cluster}, and the command in ${cluster}`);
  }
  return cluster === undefined ? {} : { cluster };
}

/** Where an object of a change is. Without `-n` its namespace is `default`, as it is for kubectl. */
export function placeOf(command: Kubectl): { namespace: string; cluster?: string } {
  const target = isTarget(command);
  const namespace = command.flags.value("--namespace") ?? target?.namespace ?? "default";
  if (target?.namespace !== undefined && target.namespace !== namespace) {
    refuse(`${TARGET} is in ${target.namespace}, and the command in ${namespace}`);
  }
  return { namespace, ...clusterOf(command) };
}
