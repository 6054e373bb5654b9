import type { OperationTarget } from "../../contract/incident.ts";
import { withArticle } from "../../lib/words.ts";
import { kindOf } from "./kubectl-kinds.ts";
import { excerpt, refuse } from "./refused.ts";
import type { KubectlCommand } from "./tool-command.ts";
import { plainWord, requireKnown, type Word } from "./word.ts";

/** Placeholder in playbooks for the incident's target. */
const TARGET = "{target}";

/** Returns the name, with `{target}` replaced when the context has a target of this kind. */
function nameOf(word: Word, text: string, kind: string, target: OperationTarget | undefined): string {
  if (target === undefined || word.text !== word.head + TARGET || text !== TARGET) {
    requireKnown(word, "the name of what is changed");
    return text;
  }
  if (target.kind === kind) return target.name;
  return refuse(`${TARGET} is ${withArticle(target.kind)}, and the command is about ${withArticle(kind)}`);
}

/** Returns the kind that the first operand names, in `pod api-1` and `pod/api-1`; undefined when there is no operand. */
export function kindNamed({ operands: [first] }: KubectlCommand): string | undefined {
  return first === undefined ? undefined : kindOf(first.text.split("/")[0] ?? "");
}

/** Returns the one object that a change is about; refuses several, and none. */
function oneObject({ verb, operands, context }: KubectlCommand): { kind: string; name: string } {
  const [first, second] = operands;
  if (first === undefined) refuse(`kubectl ${verb} does not say what to act on`);
  const slash = first.head.indexOf("/");
  const kind = kindOf(
    slash < 0 ? requireKnown(first, "the kind of what is changed") : first.head.slice(0, slash),
  );
  if (kind.includes(",")) refuse(`${excerpt(kind)} names several kinds, but an operation acts on one object`);
  const name = slash < 0 ? second : first;
  if (name === undefined) refuse(`kubectl ${verb} ${kind} does not say which ${kind}`);
  const others = operands.slice(slash < 0 ? 2 : 1);
  if (others[0] !== undefined) {
    refuse(`${excerpt(others[0].text)} is a second object, but an operation acts on one`);
  }
  return { kind, name: nameOf(name, name.text.slice(slash < 0 ? 0 : slash + 1), kind, context.target) };
}

/** Returns the incident's target if the object was named as `{target}`, else undefined. */
function incidentTarget({ operands, context }: KubectlCommand): OperationTarget | undefined {
  return operands.some((word) => word.text.endsWith(TARGET)) ? context.target : undefined;
}

/** Returns the cluster that `--context` names, else that of the target or context. */
function clusterOf(command: KubectlCommand): { cluster?: string } {
  const { flags, context } = command;
  const target = incidentTarget(command);
  const cluster = flags.value("--context") ?? target?.cluster ?? context.cluster;
  if (target?.cluster !== undefined && target.cluster !== cluster) {
    refuse(`${TARGET} is in ${target.cluster}, and the command in ${cluster}`);
  }
  return cluster === undefined ? {} : { cluster };
}

/** Returns namespace and cluster of a change's object. Without `-n` the namespace is the target's, else `default`. */
function placeOf(command: KubectlCommand): { namespace: string; cluster?: string } {
  const target = incidentTarget(command);
  const namespace = command.flags.value("--namespace") ?? target?.namespace ?? "default";
  if (target?.namespace !== undefined && target.namespace !== namespace) {
    refuse(`${TARGET} is in ${target.namespace}, and the command in ${namespace}`);
  }
  return { namespace, ...clusterOf(command) };
}

type ObjectTarget = { kind: string; name: string; namespace: string; cluster?: string };

/** Returns the one object in a namespace that a change is about. */
export function objectTarget(command: KubectlCommand): ObjectTarget {
  return { ...oneObject(command), ...placeOf(command) };
}

/** Returns the node that a change is about: named by its bare name, or as `node/NAME`. */
export function nodeTarget(command: KubectlCommand): Omit<ObjectTarget, "namespace"> {
  const { operands } = command;
  const [first] = operands;
  const bare = first !== undefined && !first.head.includes("/");
  const object = oneObject(bare ? { ...command, operands: [plainWord("node"), ...operands] } : command);
  return { ...object, ...clusterOf(command) };
}
