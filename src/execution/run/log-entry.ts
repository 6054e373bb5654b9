import type { LoggedOperation } from "../../contract/operation-log.ts";
import { clip } from "../../lib/clip.ts";
import { redactText } from "../../lib/redact.ts";
import { inWords, manualCommand, type Operation, redactedOperation } from "../../operation/index.ts";
import type { Caller } from "../types.ts";

const STDERR_LIMIT = 8_000;
const ERROR_LIMIT = 2_000;

/** Returns a target's output as it can be stored: without NUL and credentials, cut to `most` characters. */
export const storableText = (text: string, most = STDERR_LIMIT) =>
  clip(redactText(text.replaceAll("\0", "")), most);
/** Returns an error message as it can be stored: 2,000 characters at most. */
export const storableError = (text: string) => storableText(text, ERROR_LIMIT);

type LoggedRun = { operation: Operation; caller: Caller; undoes?: string | null; step?: number };

const BY: Readonly<Record<Caller, string>> = {
  approval_executor: "human_approved",
  auto_repair: "auto_executed",
  planner: "planned",
};

/** Returns the tags to search a run by: who allowed it, the system it touches, and whether it is an undo or later step. */
function tagsOf({ operation, caller, undoes = null, step = 1 }: LoggedRun): string[] {
  const [system = operation.kind] = operation.kind.split(".");
  return [BY[caller], system, ...(undoes === null ? [] : ["undo"]), ...(step === 1 ? [] : ["further_step"])];
}

/** Returns the operation log's description of an operation, whatever its result. Parameters with secret names are redacted. */
export function logDescription(done: LoggedRun): Pick<LoggedOperation, "operation_type" | "tags" | "input"> {
  const operation = redactedOperation(done.operation);
  const { target } = operation;
  return {
    operation_type: operation.kind,
    tags: tagsOf(done),
    input: {
      text: manualCommand(operation) ?? inWords(operation),
      operation,
      target,
      namespace: target !== null && "namespace" in target ? (target.namespace ?? null) : null,
    },
  };
}

/** Returns an operation log row about a run, for the `data` of a timeline entry. */
export const operationLogRow = (
  done: LoggedRun,
  what: Omit<LoggedOperation, "operation_type" | "tags" | "input">,
) => ({
  operation_log: { ...logDescription(done), ...what } satisfies LoggedOperation,
});
