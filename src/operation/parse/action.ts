import { withArticle } from "../../lib/words.ts";
import { DEFINITIONS_BY_KIND, type OperationKind, traitsOf } from "../operation.ts";
import type { Context } from "./context.ts";
import { excerpt, refuse } from "./refused.ts";
import { operationVerdict, readOnlyVerdict, type Verdict } from "./verdict.ts";

type Action = { kind: OperationKind; on: readonly string[] } | { missing: string };

/** Names of actions with the operation that each stands for, or with the parameter that it lacks. */
const ACTIONS = new Map<string, Action>();
for (const [kind, { names = {}, incompleteNames = {} }] of DEFINITIONS_BY_KIND) {
  const all: [string, Action][] = [
    ...Object.entries(names).map(([name, on]): [string, Action] => [name, { kind, on }]),
    ...Object.entries(incompleteNames).map(([name, missing]): [string, Action] => [name, { missing }]),
  ];
  for (const [name, action] of all) {
    if (ACTIONS.has(name)) throw new Error(`two operations have the name ${name}`);
    ACTIONS.set(name, action);
  }
}

// Matches only a whole word: `no-action-7`, `noaction.prod` and `my_no_action` are other names. Han, kana and hangul
// may touch the word without a blank. If it is really a name, doing nothing is harmless.
const LETTER = String.raw`(?!\p{sc=Han}|\p{sc=Hira}|\p{sc=Kana}|\p{sc=Hang})[\p{L}\p{M}\p{N}_]`;
const NO_ACTION = new RegExp(
  String.raw`(?<!${LETTER}|${LETTER}[.-]|-)NO[_-]?ACTION(?!${LETTER}|[.-]+${LETTER})|\(未設\)|（未設）`,
  "iu",
);

const PREFIXES = new Map(
  [...DEFINITIONS_BY_KIND].flatMap(([kind, { prefix }]) =>
    prefix === undefined ? [] : [[prefix, kind] as const],
  ),
);
const BEGINS = new RegExp(`^(${[...PREFIXES.keys()].join("|")})`, "i");

/** Returns the no-operation for a text that asks for none, whatever else it says; null for any other text. */
export function noAction(text: string, context: Context): Verdict | null {
  const target = context.target ?? null;
  const [, word] = BEGINS.exec(text) ?? [];
  if (word !== undefined) {
    const kind = PREFIXES.get(word.toUpperCase()) ?? "none";
    return readOnlyVerdict(`begins with ${word}: nothing is changed`, { kind, target, parameters: {} });
  }
  const said = text === "" ? "" : NO_ACTION.exec(text)?.[0];
  if (said === undefined) return null;
  const reason = said === "" ? "no action is needed" : `says ${said}: nothing is done`;
  return readOnlyVerdict(reason, { kind: "none", target, parameters: {} });
}

/** Returns the operation for a name such as `RESTART_DEPLOYMENT` on the context's target; null for any other text. */
export function namedAction(text: string, { target }: Context): Verdict | null {
  if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(text)) return null;
  const action = ACTIONS.get(text);
  if (action === undefined) return refuse(`${excerpt(text)} is not the name of an operation`);
  if ("missing" in action) return refuse(`${text} does not say ${action.missing}`);
  const { kind, on } = action;
  if (target === undefined) refuse(`${text} has no target here: name it in a command`);
  if (!on.includes(target.kind))
    refuse(`${text} is about ${withArticle(on.join(" or "))}, and the target is ${withArticle(target.kind)}`);
  const candidate = { kind, target, parameters: {} };
  return traitsOf({ kind }).scope === "read"
    ? readOnlyVerdict("only reads", candidate)
    : operationVerdict(candidate, `${text} changes the target`);
}
