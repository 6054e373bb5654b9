import { clipCounted, clipStart } from "../../../../lib/clip.ts";
import { plainText } from "../../../../lib/plain-text.ts";
import { redactText } from "../../../../lib/redact.ts";
import { plain } from "../cluster/failure.ts";

/** The most characters of an output that an execution keeps. */
export const MAX_TEXT = 7_500;

/** Removes secrets and control characters from a text of several lines from a cluster. */
export function shown(text: string): string {
  // Redact before anything is cut: half a secret is not recognised.
  return redactText(plainText(text));
}

/** Returns the beginning of a text that is too long. */
export function beginningOf(text: string): string {
  return clipCounted(text, MAX_TEXT, "\n");
}

/** Returns the end of a text that is too long, as the last lines of a log matter most. */
export function endOf(text: string, max = MAX_TEXT): string {
  const more = `… (${text.length} characters)\n`;
  return clipStart(text, text.length <= max ? max : max + more.length, more);
}

/** Formats rows as aligned columns, as kubectl does. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map((cell) => plain(redactText(cell), 200)));
  const widths = (clean[0] ?? []).map((_, column) =>
    Math.max(...clean.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd();
  return clean.map(line).join("\n");
}
