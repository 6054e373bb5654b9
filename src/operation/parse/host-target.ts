import { withArticle } from "../../lib/words.ts";
import type { Context } from "./context.ts";
import { refuse, shown } from "./refused.ts";
import { known, type Word } from "./word.ts";

/** Returns the host that a command acts on: that of the context or target, else `localhost`, as for docker itself. */
export function hostOf({ host, target }: Context): string {
  return host ?? target?.host ?? "localhost";
}

/** Returns the single name of what is acted on; `{target}` stands for the incident's target. */
export function oneName(operands: readonly Word[], kind: string, what: string, context: Context): string {
  const [first, ...others] = operands;
  if (first === undefined) refuse(`${what} names nothing that it should act on`);
  if (others[0] !== undefined) refuse(`${shown(others[0].text)} is one more, and an operation is about one`);
  const { target } = context;
  if (first.text === "{target}" && first.unknown !== null && target !== undefined) {
    if (target.kind !== kind)
      refuse(`{target} is ${withArticle(target.kind)}, and the command is about ${withArticle(kind)}`);
    if ((target.host ?? context.host) !== context.host && context.host !== undefined) {
      refuse(`{target} is on ${target.host}, and the command on ${context.host}`);
    }
    return target.name;
  }
  return known(first, "the name of what is changed");
}
