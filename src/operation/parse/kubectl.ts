import { readFlags, readLeadingFlags } from "./flags.ts";
import { kubectlChange } from "./kubectl-change.ts";
import type { Kubectl } from "./kubectl-objects.ts";
import { kubectlRead } from "./kubectl-read.ts";
import { GROUPS, kindOf, LEADING, REFUSED_GLOBAL, REFUSED_VERBS, VERBS, type Verb } from "./kubectl-table.ts";
import { refuse, shown } from "./refused.ts";
import { type Context, Flags, type Verdict } from "./verdict.ts";
import { known, type Word } from "./word.ts";

function guard(names: readonly string[]): void {
  for (const name of names) {
    const reason = REFUSED_GLOBAL.get(name);
    if (reason !== undefined) refuse(`${name} ${reason}`);
  }
}

const TOP: Readonly<Record<string, string>> = Object.fromEntries(
  ["pod", "pods", "po", "node", "nodes", "no"].map((word) => [`top ${word}`, `top ${kindOf(word)}`]),
);

/** The place of the first word that is neither a global flag nor the value of one; -1 where that is not clear. */
function firstOperand(words: readonly Word[]): number {
  let at = 0;
  for (let word = words[0]; word?.head.startsWith("-"); word = words[at]) {
    const flag = LEADING.get(word.head.split("=")[0] ?? "");
    if (flag === undefined) return -1;
    at += flag.takes === "value" && !word.head.includes("=") ? 2 : 1;
  }
  return at < words.length ? at : -1;
}

/** The longest verb that the words begin with (`rollout restart`, `top pod`, `get`), and all other words. */
function verbOf(words: readonly Word[]): { name: string; verb: Verb; others: Word[] } {
  const first = readLeadingFlags(words, LEADING, "kubectl");
  guard(first.flags.map((one) => one.name));
  const at = words[first.next];
  if (at === undefined || first.rest !== null) refuse("kubectl has no verb");
  const one = known(at, "the verb of kubectl");
  const behind = words.slice(first.next + 1);
  const place = firstOperand(behind);
  const second = behind[place];
  const two = second === undefined || second.unknown !== null ? null : `${one} ${second.text}`;
  for (const name of two === null ? [one] : [TOP[two] ?? two, one]) {
    const verb = VERBS.get(name);
    const rest = name === one ? behind : behind.filter((_, index) => index !== place);
    if (verb !== undefined) return { name, verb, others: [...words.slice(0, first.next), ...rest] };
    const reason = REFUSED_VERBS.get(name);
    if (reason !== undefined) refuse(`kubectl ${name} ${reason}`);
  }
  const what = GROUPS.has(one) && two !== null ? two : one;
  return refuse(`${shown(what)} is not a verb of kubectl that is known here`);
}

/** kubectl: reads, typed operations, and everything else refused by what it would do. */
export function kubectl(words: readonly Word[], context: Context): Verdict {
  const { name, verb, others } = verbOf(words);
  const read = readFlags(others, verb.flags, `kubectl ${name}`);
  guard(read.flags.map((one) => one.name));
  if (read.rest !== null && read.rest.length > 0) refuse(`kubectl ${name} has words behind "--"`);
  const command: Kubectl = { verb: name, flags: new Flags(read.flags), operands: read.operands, context };
  return verb.changes ? kubectlChange(command) : kubectlRead(command);
}
