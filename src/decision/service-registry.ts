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
  /** Of services that are not listed. */
  default: repair.default("suggest"),
  services: z.record(
    text,
    z.strictObject({
      /** `auto`: may be repaired by itself; `suggest`: people decide; `never`: as that, whoever changes the default. */
      auto_repair: repair,
      owner: text.optional(),
      channel: text.optional(),
      dependencies: z.array(text).default([]),
    }),
  ),
});
/** What may be done to which service, and whose it is. */
export type ServiceRegistry = z.infer<typeof registry>;
export type Repair = z.infer<typeof repair>;

// Only of what everybody writes in either case: what merely looks like a name is not that name.
const fold = (name: string) => name.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The registry in `yaml`; throws `invalid` with everything that is wrong with it. */
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

/** The registry in a file; null without one. Throws `invalid`. */
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
    // From its own name outwards, as `ledger`, `prod`, `eu`.
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
 * What the registry says of one thing: the strictest of the entries under its own names, and the default where there
 * is none. Entries for what it is a part of, that only look like one of its names, or that may mean it, as they say
 * more of the place than is known, may narrow that and never widen it.
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

/** What the registry says of these, of each by itself; without a registry nothing is said. Pure. */
function eachOf(registered: ServiceRegistry | null, things: ReadonlyMap<string, RegistryNames>): Judged[] {
  if (registered === null) return [];
  return [...things].map(([service, names]) => ({ service, repair: judged(registered, names) }));
}

/** Of services as senders call them, where the incident's target is. One with a place in it is judged as both. */
export function repairOf(
  registered: ServiceRegistry | null,
  services: readonly string[],
  place: OperationTarget | null = null,
): Judged[] {
  const named = eachOf(registered, new Map(services.map((one) => [one, namesOfService(one, place ?? {})])));
  const placed = services.filter((one) => one.includes("/"));
  return [...named, ...repairOfOwners(registered, placed)];
}

/** Of what is acted on. */
export function repairOfTargets(
  registered: ServiceRegistry | null,
  targets: readonly OperationTarget[],
): Judged[] {
  return targets.flatMap((one) => eachOf(registered, new Map([[one.name, namesOfTarget(one)]])));
}

/** Of machines that alerts name beside what they are about: where an entry is for one, that counts. */
export function repairOfMachines(registered: ServiceRegistry, machines: readonly string[]): Judged[] {
  return machines.map((one) => ({ service: one, repair: judged(registered, namesOfService(one), "auto") }));
}

/** Of what the targets belong to, as the systems say it: `prod/ledger`. */
export function repairOfOwners(registered: ServiceRegistry | null, owners: readonly string[]): Judged[] {
  return eachOf(registered, new Map(owners.map((one) => [one, namesOfOwner(one)])));
}
