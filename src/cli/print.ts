import { stripVTControlCharacters, styleText } from "node:util";
import type { ActorKind } from "../contract/common.ts";
import type { CliIo } from "./io.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";
/** A text, optionally styled; control characters are removed on printing. `whole`: a table does not cut it. */
export type Cell = string | { text: string; style?: Style; whole?: true };

// Invisible characters that change how the surrounding text reads: directions, zero widths, tags. The two
// zero-width joiners are kept, as some scripts need them.
const DECEPTIVE =
  /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\u200c\u200d]/u;
const MAX_CELL = 60;

/**
 * Returns `text` as one line that is safe to print on a terminal: without escape sequences, control characters and
 * characters that reorder or hide text. Alerts and comments are untrusted.
 */
export function terminalSafe(text: string): string {
  const visible = stripVTControlCharacters(text.toWellFormed()).replace(/[\r\n\t\u2028\u2029]+/g, " ");
  return visible.replace(/\p{Cc}/gu, "").replace(DECEPTIVE, "");
}

function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += NO_WIDTH.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return width;
}

function cut(text: string): string {
  if (widthOf(text) <= MAX_CELL) return text;
  let kept = "";
  for (const letter of text) {
    if (widthOf(kept + letter) >= MAX_CELL) break;
    kept += letter;
  }
  return `${kept}…`;
}

/** Formats a time as `2026-07-01 12:00:03Z`, or `-` for none. */
export function formatTime(time: string | null): string {
  return time === null ? "-" : `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** Formats a duration in its largest unit: `5m`, `3h`, `12d`; hours up to two days. */
export function formatSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3_600) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** Quotes one argument of a command line that people copy into a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Prints to one stream. All text is cleaned, except that of `json`. */
export type Printer = {
  line(text?: string, style?: Style): void;
  /** Prints a multi-line text, each line cleaned. */
  block(text: string, indent: string): void;
  /** Prints names and values in two columns. */
  fields(pairs: readonly (readonly [string, Cell])[]): void;
  table(head: readonly string[], rows: readonly (readonly Cell[])[]): void;
  json(text: string): void;
  /** Returns a command line of this program that works when the reader types it. */
  awoooi(...args: readonly string[]): string;
  /** Rewrites commands of this program in backticks so that they work when typed. */
  asTyped(text: string): string;
};

/** Creates a printer on `write`; `program` returns how this program is started here, with its server's options. */
export function printer(
  write: (text: string) => void,
  io: Pick<CliIo, "isTTY" | "env" | "program">,
  program: () => string = () => io.program ?? "awoooi",
): Printer {
  const colour = io.isTTY && !io.env.NO_COLOR;
  const styled = (text: string, style: Style | undefined) =>
    style !== undefined && colour ? styleText(style, text, { validateStream: false }) : text;
  const line = (text = "", style?: Style) => write(`${styled(terminalSafe(text), style)}\n`);
  const plain = (cell: Cell) => terminalSafe(typeof cell === "string" ? cell : cell.text);
  const styleOf = (cell: Cell | undefined) => (typeof cell === "object" ? cell.style : undefined);

  const row = (texts: readonly string[], styles: readonly (Style | undefined)[], widths: readonly number[]) =>
    texts.map((text, column) => {
      const last = column === texts.length - 1;
      const gap = last ? "" : " ".repeat((widths[column] ?? 0) - widthOf(text) + 2);
      return styled(text, styles[column]) + gap;
    });

  return {
    line,
    block(text, indent) {
      for (const one of text.split(/\r?\n/)) write(`${indent}${terminalSafe(one)}\n`);
    },
    fields(pairs) {
      const width = Math.max(...pairs.map(([name]) => name.length)) + 2;
      for (const [name, value] of pairs)
        write(`${styled(name.padEnd(width), "dim")}${styled(plain(value), styleOf(value))}\n`);
    },
    table(head, rows) {
      const texts = rows.map((cells) =>
        cells.map((cell) => (typeof cell === "object" && cell.whole ? plain(cell) : cut(plain(cell)))),
      );
      const widths = head.map((title, column) =>
        Math.max(title.length, ...texts.map((cells) => widthOf(cells[column] ?? ""))),
      );
      const bold = head.map(() => "bold" as const);
      write(`${row(head, bold, widths).join("")}\n`);
      texts.forEach((cells, index) => {
        write(
          `${row(cells, (rows[index] ?? []).map(styleOf), widths)
            .join("")
            .trimEnd()}\n`,
        );
      });
    },
    json: (text) => write(text.endsWith("\n") ? text : `${text}\n`),
    awoooi: (...args) => [program(), ...args.map(shellWord)].join(" "),
    asTyped: (text) => text.replace(/`awoooi (?=[a-z])/g, () => `\`${program()} `),
  };
}

/** Formats an actor, with the kind unless the name already shows it: `playbook (system)`. */
export function actorText(name: string, kind: ActorKind): string {
  const plain = kind === "person" ? !name.endsWith(")") : kind === "unknown" || name.endsWith(`(${kind})`);
  return plain ? name : `${name} (${kind})`;
}
