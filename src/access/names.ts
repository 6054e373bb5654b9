import type { Ctx } from "../db/ctx.ts";
import { SYSTEM_NAMES } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { asSeen, mixedScripts, rareLetters, skeletons } from "../lib/look-alike.ts";
import { peopleNames } from "./store.ts";

/** Two spellings of a name that look alike are one person: a quorum must not be met by one with two names. */
export const personKey = (name: string): string => asSeen(name).toLowerCase();

// However its words are put together: `auto_approve`, `Auto approve`.
const joined = (text: string) => skeletons(text).map((one) => one.replace(/[^\p{L}\p{N}]/gu, ""));
const SYSTEM = new Set(SYSTEM_NAMES.flatMap(joined));
const BEGINNINGS = ["auto_approve:", "llm_"].flatMap(joined);
const KINDS = new Set(["person", "system", "sender", "policy", "unknown"].flatMap(joined));

/** Whether it ends as a name is shown with a kind of actor: `ada (person)`, `sweep [system]`, `sweep: system`. */
function showsKind(name: string): boolean {
  const [, ...behind] = asSeen(name).split(/[^\p{L}\p{N}\s._@/-]/u);
  const last = behind.findLast((part) => /[\p{L}\p{N}]/u.test(part));
  return last !== undefined && joined(last).some((one) => KINDS.has(one));
}

/** Whether a name is, or looks like, one of the system's own. Pure. */
export function isSystemName(name: string): boolean {
  return (
    joined(name).some((one) => SYSTEM.has(one) || BEGINNINGS.some((start) => one.startsWith(start))) ||
    showsKind(name)
  );
}

// Whatever stands between and around its words.
const looksOf = (name: string) => skeletons(name).map((one) => one.replace(/[^\p{L}\p{N}]+/gu, " ").trim());

/** What is wrong with a name that nobody has yet, beside the names that people have; null: nothing. Pure. */
export function nameProblem(name: string, others: readonly string[]): string | null {
  if (!/[\p{L}\p{N}]/u.test(asSeen(name))) return "it has no letter and no digit that can be seen";
  if (isSystemName(name)) return "it is the name of a part of the system, or looks like one";
  const scripts = mixedScripts(name);
  if (scripts.length > 0) return `it mixes letters of several scripts (${scripts.join(", ")})`;
  const rare = rareLetters(name);
  if (rare.length > 0) return `it has letters that names are seldom written in (${rare.join(" ")})`;
  const looks = new Set(looksOf(name));
  const isAlike = (one: string) => looksOf(one).some((look) => looks.has(look));
  const other = others.find((one) => personKey(one) !== personKey(name) && isAlike(one));
  return other === undefined ? null : `it looks like ${other}, who is somebody else`;
}

/** Throws `invalid` where a name passes for somebody else's or the system's. That of a person who is there is theirs. */
export async function mustBeOwnName(ctx: Ctx, name: string, path: string): Promise<void> {
  const known = await peopleNames(ctx);
  const key = personKey(name);
  const isThere = known.some((one) => one.key === key) && !isSystemName(name);
  const problem = isThere
    ? null
    : nameProblem(
        name,
        known.map((one) => one.name),
      );
  if (problem === null) return;
  throw new AwoooiError("invalid", `The name is not possible: ${problem}.`, {
    errors: [{ path, message: problem }],
  });
}
