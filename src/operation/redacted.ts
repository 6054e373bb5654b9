import { redact } from "../lib/redact.ts";
import type { Operation } from "./types.ts";

/** A value under its name, left out where the name says that it is secret. */
const under = (name: string, value: string): string =>
  String((redact({ [name]: value }) as Record<string, unknown>)[name]);

type Patch = Extract<Operation, { kind: "kubernetes.patch" }>;

function shownPatch(operation: Patch): Patch {
  const shown = structuredClone(operation);
  const { spec } = shown.parameters.patch;
  const containers = "template" in spec ? (spec.template?.spec?.containers ?? []) : [];
  for (const { env = [] } of containers)
    for (const variable of env) variable.value = under(variable.name, variable.value);
  return shown;
}

/**
 * An operation as everybody may see it: what its names say is secret, in variables and in arguments of tools, is
 * left out. What is signed and done is the operation itself.
 */
export function redactedOperation(operation: Operation): Operation {
  if (operation.kind === "kubernetes.patch") return shownPatch(operation);
  if (operation.kind !== "tool.call") return operation;
  const given = redact(operation.parameters.arguments) as typeof operation.parameters.arguments;
  return { ...operation, parameters: { ...operation.parameters, arguments: given } };
}
