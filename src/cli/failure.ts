import { CommanderError } from "commander";
import type { Problem } from "../contract/common.ts";
import { AwoooiError, ERRORS, type ErrorCode, messageOf } from "../lib/error.ts";
import { ServerProblem } from "./client.ts";
import type { Printer } from "./print.ts";

function exitOf({ code, status }: Pick<Problem, "code" | "status">): number {
  if (Object.hasOwn(ERRORS, code)) return ERRORS[code as ErrorCode].exit;
  // An unknown code, as of a newer server: choose the exit code by its status.
  const alike = Object.values(ERRORS).find((entry) => entry.status === status);
  return alike?.exit ?? (status >= 400 && status < 500 ? 2 : 1);
}

function toAwoooiError(thrown: unknown): AwoooiError {
  if (thrown instanceof AwoooiError) return thrown;
  if (thrown instanceof CommanderError) {
    return new AwoooiError("invalid", thrown.message.replace(/^error: /, ""));
  }
  return new AwoooiError("internal", messageOf(thrown));
}

/** Converts an error of the CLI into a problem as the server would report it. */
function problemOf(error: AwoooiError): Problem {
  const { status, title } = ERRORS[error.code];
  const { code, errors, message: detail } = error;
  const type = `docs/reference/errors.md#${code}`;
  return { type, title, status, detail, code, ...(errors.length > 0 ? { errors: [...errors] } : {}) };
}

function hintFor(thrown: unknown): string {
  if (!(thrown instanceof ServerProblem)) return "";
  if (thrown.problem.code === "unauthenticated")
    return " Set AWOOOI_TOKEN, or name a file with --token-file.";
  return thrown.retryAfter === null ? "" : ` Try again in ${thrown.retryAfter} s.`;
}

/** Prints on stderr what went wrong and returns the exit code for it. */
export function printFailure(err: Printer, thrown: unknown, json: boolean): number {
  const told = thrown instanceof ServerProblem ? thrown.problem : problemOf(toAwoooiError(thrown));
  if (json) {
    err.json(thrown instanceof ServerProblem ? thrown.text : JSON.stringify(told));
    return exitOf(told);
  }
  err.line(`awoooi: ${err.asTyped(told.detail || told.title)}${hintFor(thrown)}`);
  for (const { path, message } of told.errors ?? [])
    err.line(err.asTyped(path === "" ? `  ${message}` : `  ${path}: ${message}`));
  if (told.reference !== undefined) err.line(`  reference: ${told.reference}`);
  return exitOf(told);
}
