import { withArticle } from "../../lib/words.ts";
import type { Context } from "./context.ts";
import { excerpt, refuse } from "./refused.ts";
import type { HostCommand } from "./tool-command.ts";
import { requireKnown } from "./word.ts";

/** Returns the host that a command acts on: that of the context or target, else `localhost`, as for docker itself. */
function hostOf({ host, target }: Context): string {
  return host ?? target?.host ?? "localhost";
}

/** Returns the host itself, as what a command acts on. */
export const hostTarget = (context: Context): { kind: "host"; name: string } => ({
  kind: "host",
  name: hostOf(context),
});

/** Returns the single name of what is acted on; `{target}` stands for the incident's target. */
function nameOf({ tool, verb, operands, context }: HostCommand, kind: string): string {
  const [first, ...others] = operands;
  if (first === undefined) refuse(`${tool} ${verb} does not say what to act on`);
  if (others[0] !== undefined)
    refuse(`${excerpt(others[0].text)} is a second name, but an operation acts on one`);
  const { target } = context;
  if (first.text === "{target}" && first.unknown !== null && target !== undefined) {
    if (target.kind !== kind)
      refuse(`{target} is ${withArticle(target.kind)}, and the command is about ${withArticle(kind)}`);
    if ((target.host ?? context.host) !== context.host && context.host !== undefined) {
      refuse(`{target} is on ${target.host}, and the command on ${context.host}`);
    }
    return target.name;
  }
  return requireKnown(first, "the name of what is changed");
}

/** Returns the one thing of this kind on a host that a change is about. */
export function targetOnHost<Kind extends string>(
  command: HostCommand,
  kind: Kind,
): { kind: Kind; name: string; host: string } {
  return { kind, name: nameOf(command, kind), host: hostOf(command.context) };
}
