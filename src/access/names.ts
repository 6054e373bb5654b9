import type { Ctx } from "../db/ctx.ts";
import { SYSTEM_NAMES } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { mixedScripts, rareLetters, visibleText } from "../lib/look-alike.ts";
import { readAlike, readAlikeForms } from "../lib/read-alike.ts";
import { findPersonByKey, peopleNames } from "./store.ts";

/** Returns a person's key: spellings that look alike share it, so that no person meets a quorum under two names. */
export const personKey = (name: string): string => visibleText(name).toLowerCase();

// In every spelling: `auto_approve`, `Auto approve`, `auto-approve system`.
const SYSTEM = SYSTEM_NAMES.flatMap((name) => [name, `${name} system`]).flatMap(readAlikeForms);
const BEGINNINGS = ["llm_"].flatMap(readAlikeForms);
const KINDS = ["person", "system", "sender", "policy", "unknown"].flatMap(readAlikeForms);
const SPELLED = { joined: true, once: true };

// Separators between a name and the kind shown with it: `sweep: system`, `ada/policy`, `ada - system`. Those within a
// name, as in `ci-system`, are none.
const PARTING = /[^\p{L}\p{M}\p{N}\s._@-]|\s[._@-]+\s/u;

/**
 * Returns whether a name imitates how actors are shown with their kind (`ada (person)`, `sweep [system]`, `ada/policy`)
 * or what parts of the system are called (`auto_repair:PB-1`, `sweep/night`).
 */
function showsKind(name: string): boolean {
  const parts = visibleText(name).split(PARTING).map(readAlikeForms);
  const [first = [], ...behind] = parts.filter((forms) => forms.some((form) => form.length > 0));
  if (behind.length === 0) return false;
  return readAlike(first, SYSTEM, SPELLED) || behind.some((part) => readAlike(part, KINDS, SPELLED));
}

/** Returns whether a name is, or may be read as, that of a part of the system. Pure. */
export function isSystemName(name: string): boolean {
  const forms = readAlikeForms(name);
  return (
    readAlike(forms, SYSTEM, SPELLED) ||
    readAlike(forms, BEGINNINGS, { joined: true, begins: true }) ||
    showsKind(name)
  );
}

/** Returns what is wrong with a new person's name, given the names of other people; null: nothing. Pure. */
export function nameProblem(name: string, others: readonly string[]): string | null {
  if (!/[\p{L}\p{N}]/u.test(visibleText(name))) return "it has no visible letter or digit";
  if (isSystemName(name)) return "it is the name of a part of the system, or looks like one";
  const scripts = mixedScripts(name);
  if (scripts.length > 0) return `it mixes letters of several scripts (${scripts.join(", ")})`;
  const rare = rareLetters(name);
  if (rare.length > 0) return `it has letters of scripts that names seldom use (${rare.join(" ")})`;
  const forms = readAlikeForms(name);
  const other = others.find(
    (one) => personKey(one) !== personKey(name) && readAlike(forms, readAlikeForms(one)),
  );
  return other === undefined ? null : `it looks like ${other}, another person`;
}

/** Returns the id of the person with this name; null: there is none. */
export const findPersonByName = (ctx: Ctx, name: string): Promise<string | null> =>
  findPersonByKey(ctx, personKey(name));

function assertAllowed(problem: string | null, path: string): void {
  if (problem === null) return;
  throw new AwoooiError("invalid", `The name is not allowed: ${problem}.`, {
    errors: [{ path, message: problem }],
  });
}

/** Throws `invalid` where a name passes for another person's or the system's. An existing person's name is accepted. */
export async function assertPersonName(ctx: Ctx, name: string, path: string): Promise<void> {
  const known = await peopleNames(ctx);
  const key = personKey(name);
  if (known.some((one) => one.key === key) && !isSystemName(name)) return;
  const others = known.map((one) => one.name);
  assertAllowed(nameProblem(name, others), path);
}

/** Throws `invalid` where a token's name is, or passes for, the name of another person or of the system. */
export async function assertTokenName(ctx: Ctx, name: string, person: string): Promise<void> {
  const [key, own] = [personKey(name), personKey(person)];
  if (key === own) return;
  const others = (await peopleNames(ctx)).filter((one) => one.key !== own);
  const same = others.find((one) => one.key === key);
  const problem = same === undefined ? null : `it is the name of ${same.name}, another person`;
  assertAllowed(
    problem ??
      nameProblem(
        name,
        others.map((one) => one.name),
      ),
    "name",
  );
}
