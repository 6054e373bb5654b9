import { open, readFile } from "node:fs/promises";
import type { MoveReport } from "../contract/move.ts";
import type { Classification, Source } from "../intake/index.ts";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";
import { withoutBom } from "../lib/json-text.ts";

/** The process environment of a command, which tests can replace. */
export type CliIo = {
  env: Readonly<Record<string, string | undefined>>;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** For endless output: resolves to true when stdout accepts more, to false when its reader is gone. */
  drained?: () => Promise<boolean>;
  /** Standard input in chunks of any size. */
  stdin: AsyncIterable<string>;
  /** How a person starts this program here, such as `npx awoooi` (default: awoooi). */
  program?: string;
  /** Whether a person can be asked: stdin, stdout and stderr are all terminals. */
  isTTY: boolean;
  /** Runs the server; absent when there is none to run. */
  serve?: (options: { config?: string }) => Promise<number>;
  /** Export the installation from its database, and import it into one; absent when there is no database. */
  export?: (options: { config?: string; file: string }) => Promise<MoveReport>;
  import?: (options: { config?: string; file: string }) => Promise<MoveReport>;
  /** Reads a server's configuration without the server; absent when there is none to run. */
  config?: () => Promise<LocalConfig>;
};

type ConfigOptions = { file?: string | undefined; env: CliIo["env"] };

export type LocalConfig = {
  checkConfig(options: ConfigOptions): {
    file: string | null;
    errors: FieldError[];
    warnings: FieldError[];
  };
  /** Returns every setting with its source. Throws `invalid`. */
  showConfig(options: ConfigOptions): {
    hash: string;
    settings: { path: string; value: unknown; written?: unknown; source: string }[];
  };
  configJsonSchema(): object;
  configReference(): string;
  /** Returns the sources and the classification that decode bodies. Throws `invalid`. */
  localSources(options: ConfigOptions): { sources: readonly Source[]; classification: Classification };
};

/** Reads stdin to its end. */
async function readAll(stdin: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of stdin) text += piece;
  return text;
}

/** Reads the next line of stdin, without its line break; the rest when stdin ends before one. */
export async function readLine(stdin: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of stdin) {
    text += piece;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end).replace(/\r$/, "");
  }
  return text;
}

/** Yields each line of stdin without its line break, cut to its first `max` characters. */
export async function* lines(stdin: AsyncIterable<string>, max: number): AsyncGenerator<string> {
  let line = "";
  let begun = false;
  for await (const piece of stdin) {
    let from = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", from)) {
      yield (line + piece.slice(from, Math.min(end, from + max))).slice(0, max).replace(/\r$/, "");
      line = "";
      begun = false;
      from = end + 1;
    }
    if (from < piece.length) {
      begun = true;
      line = (line + piece.slice(from, from + max)).slice(0, max);
    }
  }
  if (begun) yield line.replace(/\r$/, "");
}

/** Yields a file, or stdin for `-`, in chunks of any size. Throws `invalid` when the file cannot be read. */
export async function* inputPieces(file: string, stdin: AsyncIterable<string>): AsyncGenerator<string> {
  if (file === "-") return yield* stdin;
  try {
    const handle = await open(file);
    yield* handle.createReadStream({ encoding: "utf8" }) as AsyncIterable<string>;
  } catch (error) {
    throw new AwoooiError("invalid", `The file cannot be read: ${messageOf(error)}.`);
  }
}

/** Reads the text of a file, or of stdin for `-`. Throws `invalid`. */
export async function readInput(file: string, stdin: AsyncIterable<string>): Promise<string> {
  if (file === "-") return withoutBom(await readAll(stdin));
  try {
    return withoutBom(await readFile(file, "utf8"));
  } catch (error) {
    throw new AwoooiError("invalid", `The file cannot be read: ${messageOf(error)}.`);
  }
}
