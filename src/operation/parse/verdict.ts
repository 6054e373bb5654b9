import { changesSomething, type Operation, operation } from "../operation.ts";
import type { Context } from "./context.ts";
import { refuse } from "./refused.ts";
import type { Word } from "./word.ts";

/** Result for a command that is not refused. */
export type Verdict =
  | { class: "read_only"; operation: Operation | null; reason: string }
  | { class: "operation"; operation: Operation; reason: string };

/** Parser of one tool's arguments, without the tool's own name. */
export type ToolParser = (words: readonly Word[], context: Context) => Verdict;

/** Returns a typed operation from a candidate; refuses one that its schema does not allow. */
export function operationVerdict(candidate: { [key in keyof Operation]: unknown }, reason: string): Verdict {
  const parsed = operation.safeParse(candidate);
  if (parsed.success) return { class: "operation", operation: parsed.data, reason };
  const [issue] = parsed.error.issues;
  const at = issue?.path.join(".") ?? "";
  return refuse(`this is not a valid operation: ${at === "" ? "" : `${at} `}${issue?.message ?? "it"}`);
}

/** Returns a read, with its typed operation if the candidate is a valid one that changes nothing. */
export function readOnlyVerdict(
  reason: string,
  candidate: { [key in keyof Operation]: unknown } | null = null,
): Verdict {
  const parsed = candidate === null ? null : operation.safeParse(candidate);
  const read = parsed?.success && !changesSomething(parsed.data) ? parsed.data : null;
  return { class: "read_only", operation: read, reason };
}
