import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";

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

const fold = (name: string) => name.trim().toLowerCase();

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

/**
 * What the registry says of these services, by name: of those that are listed, and of none that is, the default.
 * Without a registry nothing is said. Pure.
 */
export function repairOf(
  registered: ServiceRegistry | null,
  names: readonly string[],
): { service: string; repair: Repair }[] {
  if (registered === null) return [];
  const listed = new Map(Object.entries(registered.services).map(([name, one]) => [fold(name), one]));
  const known = [...new Set(names)].flatMap((service) => {
    const entry = listed.get(fold(service));
    return entry === undefined ? [] : [{ service, repair: entry.auto_repair }];
  });
  if (known.length > 0) return known;
  return [{ service: names[0] ?? "a service without a name", repair: registered.default }];
}
