import type { OperationDefinition } from "../kind.ts";
import { DEFINITIONS_BY_KIND, type OperationKind, traitsOf } from "../operation.ts";
import { operationVerdict, type Verdict } from "./verdict.ts";

type Tool = "kubectl" | "docker" | "systemctl";
type Form<Of extends Tool> = NonNullable<OperationDefinition[Of]>[string];

/** A verb of a tool as one operation reads it. */
export type OperationCommand<Of extends Tool> = Form<Of> & { kind: OperationKind; changes: boolean };

/** Returns by verb the operations that a tool's commands are read as. */
export function operationCommands<Of extends Tool>(
  tool: Of,
): ReadonlyMap<string, readonly OperationCommand<Of>[]> {
  const found = new Map<string, OperationCommand<Of>[]>();
  for (const [kind, definition] of DEFINITIONS_BY_KIND) {
    const changes = traitsOf({ kind }).scope !== "read";
    for (const [verb, form] of Object.entries(definition[tool] ?? {}) as [string, Form<Of>][])
      found.set(verb, [...(found.get(verb) ?? []), { ...form, kind, changes }]);
  }
  return found;
}

type Reader<Command> = {
  kind: OperationKind;
  reason?: string;
  read(command: Command): { target: unknown; parameters: unknown } | null;
};

/**
 * Returns the first operation that reads the command, as a verdict; null when none does. `check` refuses what that
 * operation has no field for.
 */
export function matchingOperation<Command, Operation extends Reader<Command>>(
  operations: readonly Operation[],
  command: Command,
  check: (operation: Operation) => void,
): Verdict | null {
  for (const operation of operations) {
    const { kind, reason = `is the operation ${kind}` } = operation;
    const reading = operation.read(command);
    if (reading === null) continue;
    const verdict = operationVerdict({ kind, ...reading }, reason);
    check(operation);
    return verdict;
  }
  return null;
}
