import { clipCounted, clipStart } from "../../../../lib/clip.ts";
import { plainText } from "../../../../lib/plain-text.ts";
import { redactText } from "../../../../lib/redact.ts";
import { plain } from "../cluster/failure.ts";

/** What an execution keeps of an output. */
export const MAX_TEXT = 7_500;

/** Text of several lines from a cluster: without secrets and control characters. */
export function shown(text: string): string {
  // Redacted before anything is cut: half a secret is not known for one.
  return redactText(plainText(text));
}

/** Its beginning, where the rest is too long. */
export function beginningOf(text: string): string {
  return clipCounted(text, MAX_TEXT, "\n");
}

/** Its end: of a log the last lines count. */
export function endOf(text: string, max = MAX_TEXT): string {
  const more = `… (${text.length} characters)\n`;
  return clipStart(text, text.length <= max ? max : max + more.length, more);
}

/** Rows in columns, as kubectl shows them. */
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
