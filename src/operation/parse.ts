import type { Operation } from "./operation.ts";
import { namedAction, noAction } from "./parse/action.ts";
import { beginsAsCommand, parseCommandLine } from "./parse/command-line.ts";
import type { Context } from "./parse/context.ts";
import { Refused } from "./parse/refused.ts";
import type { Verdict } from "./parse/verdict.ts";

/** Longest text that is parsed, in characters: no command that people sign is longer. */
export const MAX_TEXT = 8_192;

/**
 * Result of parsing a text. An `operation` changes something and needs an approval; `read_only` changes
 * nothing; everything else is `refused`. `reason` is for people.
 */
export type Parsed =
  | { class: "operation"; operation: Operation; approval: "required"; reason: string }
  | { class: "read_only"; operation: Operation | null; approval: "none"; reason: string }
  | { class: "refused"; operation: null; approval: "none"; reason: string };

// A title is prose: it begins unlike any command and has no character that is special to a shell.
const TITLE = /^[\p{Lu}\p{Lo}\p{So}][^;&<>$`\\'"(){}*?[\]#~!=\n]*$/u;

/** Returns the command of the older form `title | kubectl …`, else the text unchanged. */
function withoutTitle(text: string): string {
  const pipe = text.indexOf("|");
  if (pipe < 0) return text;
  const command = text.slice(pipe + 1);
  return beginsAsCommand(command) && TITLE.test(text.slice(0, pipe).trim()) ? command : text;
}

const refused = (reason: string): Parsed => ({ class: "refused", operation: null, approval: "none", reason });

function withApproval(verdict: Verdict): Parsed {
  return verdict.class === "operation"
    ? { ...verdict, approval: "required" }
    : { ...verdict, approval: "none" };
}

/**
 * Parses a text, written by a person or a model, into one typed operation. Pure and total: it never throws,
 * whatever the text is, and nothing of the text is ever run.
 */
export function parseOperation(text: string, context: Context = {}): Parsed {
  if (text.length > MAX_TEXT) return refused(`the text is longer than ${MAX_TEXT} characters`);
  if (text.includes("\0")) return refused("the text holds a NUL");
  const trimmed = text.trim();
  try {
    const verdict =
      noAction(trimmed, context) ??
      namedAction(trimmed, context) ??
      parseCommandLine(withoutTitle(trimmed), context);
    return withApproval(verdict);
  } catch (error) {
    if (error instanceof Refused) return refused(error.message);
    throw error;
  }
}
