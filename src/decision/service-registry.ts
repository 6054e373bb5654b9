import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { OperationTarget } from "../contract/incident.ts";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";
import { lookAlike, skeletons } from "../lib/look-alike.ts";
import {
  mayMean,
  namesOfOwner,
  namesOfService,
  namesOfTarget,
  type RegistryNames,
} from "./registry-names.ts";

const repair = z.enum(["auto", "suggest", "never"]);
const text = z.string().trim().min(1).max(253);

const registry = z.strictObject({
  /** For services that are not listed. */
  default: repair.default("suggest"),
  services: z.record(
    text,
    z.strictObject({
      /** `auto`: playbooks may repair it by themselves; `suggest`: people decide; `never`: the same, whatever `default` says. */
      auto_repair: repair,
      owner: text.optional(),
      channel: text.optional(),
      dependencies: z.array(text).default([]),
    }),
  ),
});
/** Which services may be repaired automatically, and who owns them. */
export type ServiceRegistry = z.infer<typeof registry>;
export type Repair = z.infer<typeof repair>;

// Folds ASCII letters only: a name that merely looks like another is not that name.
const fold = (name: string) => name.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Parses the registry in `yaml`; throws `invalid` with every error in it. `name` is the file's name for messages. */
export function parseServiceRegistry(yaml: string, name: string): ServiceRegistry {
  const invalid = (errors: FieldError[]) =>
    new AwoooiError("invalid", `The service registry in ${name} is not valid.`, { errors });
  const document = parseDocument(yaml);
  if (document.errors.length > 0)
    throw invalid(document.errors.map(({ message }) => ({ path: "", message })));
  const result = registry.safeParse(document.toJS());
  if (!result.success)
    throw invalid(result.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
  const names = Object.keys(result.data.services);
  const doubled = names.filter((one, at) => names.findIndex((other) => fold(other) === fold(one)) < at);
  if (doubled.length === 0) return result.data;
  throw invalid(doubled.map((one) => ({ path: `services.${one}`, message: "is listed twice" })));
}

/** Reads the registry from a file; null without one. Throws `invalid`. */
export function loadServiceRegistry(file?: string): ServiceRegistry | null {
  if (file === undefined) return null;
  let yaml: string;
  try {
    yaml = readFileSync(file, "utf8");
  } catch (error) {
    throw new AwoooiError("invalid", `The service registry in ${file} cannot be read: ${messageOf(error)}.`);
  }
  return parseServiceRegistry(yaml, file);
}

const STRICTER: readonly Repair[] = ["auto", "suggest", "never"];
const strictest = (all: readonly Repair[]): Repair =>
  all.reduce((one, other) => (STRICTER.indexOf(other) > STRICTER.indexOf(one) ? other : one), "auto");

type Entry = { repair: Repair; looks: readonly string[]; parts: readonly string[] };
type Listed = { exact: ReadonlyMap<string, Repair>; entries: readonly Entry[]; places: ReadonlySet<string> };
const known = new WeakMap<ServiceRegistry, Listed>();

function listedIn(registered: ServiceRegistry): Listed {
  const before = known.get(registered);
  if (before !== undefined) return before;
  const all = Object.entries(registered.services).map(([name, { auto_repair }]) => ({ name, auto_repair }));
  const listed = {
    exact: new Map(all.map(({ name, auto_repair }) => [fold(name), auto_repair])),
    // `parts` go from the name outwards: `ledger`, `prod`, `eu`.
    entries: all.map(({ name, auto_repair: repair }) => ({
      repair,
      looks: skeletons(name),
      parts: name.split("/").reverse(),
    })),
    places: new Set(all.flatMap(({ name }) => name.split("/").slice(0, -1).map(fold))),
  };
  known.set(registered, listed);
  return listed;
}

/**
 * Returns the registry's verdict on one thing: the strictest entry under its own names, or `otherwise` if there is none.
 * Entries for what it is part of, entries whose name looks like one of its names, and entries that may mean it because
 * they name a place in more detail than is known, can make the verdict stricter and never looser.
 */
function judged(registered: ServiceRegistry, names: RegistryNames, otherwise = registered.default): Repair {
  const { exact, entries, places } = listedIn(registered);
  const own = [...names.bare, ...names.qualified];
  const found = own.flatMap((name) => exact.get(fold(name)) ?? []);
  const looks = new Set([...own, ...names.part_of].flatMap(skeletons));
  const isPlace = (name: string) => places.has(fold(name));
  const narrowing = entries.filter(
    (one) => one.looks.some((each) => looks.has(each)) || mayMean(one.parts, names, isPlace, lookAlike),
  );
  return strictest([
    found.length === 0 ? otherwise : strictest(found),
    ...narrowing.map((one) => one.repair),
  ]);
}

export type Judged = { service: string; repair: Repair };

/** Returns the registry's verdict on each of these things; none without a registry. Pure. */
function eachOf(registered: ServiceRegistry | null, things: ReadonlyMap<string, RegistryNames>): Judged[] {
  if (registered === null) return [];
  return [...things].map(([service, names]) => ({ service, repair: judged(registered, names) }));
}

/** Judges services as senders call them, in the target's place. One with a `/` is also judged as `namespace/name`. */
export function repairOf(
  registered: ServiceRegistry | null,
  services: readonly string[],
  place: OperationTarget | null = null,
): Judged[] {
  const named = eachOf(registered, new Map(services.map((one) => [one, namesOfService(one, place ?? {})])));
  const placed = services.filter((one) => one.includes("/"));
  return [...named, ...repairOfOwners(registered, placed)];
}

/** Judges the targets that operations act on. */
export function repairOfTargets(
  registered: ServiceRegistry | null,
  targets: readonly OperationTarget[],
): Judged[] {
  return targets.flatMap((one) => eachOf(registered, new Map([[one.name, namesOfTarget(one)]])));
}

/** Judges machines that alerts name besides their target: only an entry for the machine can restrict, not the default. */
export function repairOfMachines(registered: ServiceRegistry, machines: readonly string[]): Judged[] {
  return machines.map((one) => ({ service: one, repair: judged(registered, namesOfService(one), "auto") }));
}

/** Judges owners of the targets, as the systems report them: `prod/ledger`. */
export function repairOfOwners(registered: ServiceRegistry | null, owners: readonly string[]): Judged[] {
  return eachOf(registered, new Map(owners.map((one) => [one, namesOfOwner(one)])));
}
