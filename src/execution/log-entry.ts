import type { LoggedOperation } from "../contract/operation-log.ts";
import { clip } from "../lib/clip.ts";
import { redactText } from "../lib/redact.ts";
import { inWords, manualCommand, type Operation, redactedOperation } from "../operation/index.ts";
import type { Caller } from "./types.ts";

const STDERR_LIMIT = 8_000;
const ERROR_LIMIT = 2_000;

/** What a target said, as it can be kept: without NUL, credentials, and what is too long. */
export const kept = (text: string, most = STDERR_LIMIT) => clip(redactText(text.replaceAll("\0", "")), most);
/** What is kept of what went wrong. */
export const keptError = (text: string) => kept(text, ERROR_LIMIT);

type Done = { operation: Operation; caller: Caller; undoes?: string | null; step?: number };

const BY: Readonly<Record<Caller, string>> = {
  approval_executor: "human_approved",
  auto_repair: "auto_executed",
  planner: "planned",
};

/** By what a run is found among others: on whose word it ran, what it touches, and what it is beside that. */
function tagsOf({ operation, caller, undoes = null, step = 1 }: Done): string[] {
  const [system = operation.kind] = operation.kind.split(".");
  return [BY[caller], system, ...(undoes === null ? [] : ["undo"]), ...(step === 1 ? [] : ["further_step"])];
}

/** What the operation log says of an operation, whatever became of it. Without what its names say is secret. */
export function described(done: Done): Pick<LoggedOperation, "operation_type" | "tags" | "input"> {
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

/** A row of the operation log on a run, for the data of a line of the incident's story. */
export const logged = (done: Done, what: Omit<LoggedOperation, "operation_type" | "tags" | "input">) => ({
  operation_log: { ...described(done), ...what } satisfies LoggedOperation,
});
