import { open, readFile } from "node:fs/promises";
import type { MoveReport } from "../contract/move.ts";
import type { Classification, Source } from "../intake/index.ts";
import { AwoooiError, type FieldError, messageOf } from "../lib/error.ts";
import { withoutMark } from "../lib/json-text.ts";

/** All that a command sees of the process around it, so that tests can give it another. */
export type CliIo = {
  env: Readonly<Record<string, string | undefined>>;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** For output without an end: resolves when stdout takes more, to false when nobody reads it any longer. */
  drained?: () => Promise<boolean>;
  /** In pieces of any size. */
  stdin: AsyncIterable<string>;
  /** How a person starts this program from here, as `npx awoooi` (default: awoooi). */
  program?: string;
  /** Whether a person can be asked: stdin, stdout and stderr are all a terminal. */
  isTTY: boolean;
  /** Runs the server; absent where there is none to run. */
  serve?: (options: { config?: string }) => Promise<number>;
  /** Move the installation out of its database and into one; absent where there is none. */
  export?: (options: { config?: string; file: string }) => Promise<MoveReport>;
  import?: (options: { config?: string; file: string }) => Promise<MoveReport>;
  /** What can be said of a server's configuration without the server; absent where there is none to run. */
  config?: () => Promise<LocalConfig>;
};

type ConfigOptions = { file?: string | undefined; env: CliIo["env"] };

export type LocalConfig = {
  checkConfig(options: ConfigOptions): {
    file: string | null;
    errors: FieldError[];
    warnings: FieldError[];
  };
  /** Throws `invalid`. */
  showConfig(options: ConfigOptions): {
    hash: string;
    settings: { path: string; value: unknown; written?: unknown; source: string }[];
  };
  configJsonSchema(): object;
  /** What bodies would be understood with. Throws `invalid`. */
  localSources(options: ConfigOptions): { sources: readonly Source[]; classification: Classification };
};

/** Everything up to the end of stdin. */
async function readAll(stdin: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of stdin) text += piece;
  return text;
}

/** The next line of stdin, without its end; what is there when stdin ends before one is whole. */
export async function readLine(stdin: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const piece of stdin) {
    text += piece;
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end).replace(/\r$/, "");
  }
  return text;
}

/** Every line of stdin without its end, one after the other; of a line longer than `max`, its beginning. */
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

/** A file in pieces of any size, or stdin for `-`. Throws `invalid` when the file cannot be read. */
export async function* inputPieces(file: string, stdin: AsyncIterable<string>): AsyncGenerator<string> {
  if (file === "-") return yield* stdin;
  try {
    const handle = await open(file);
    yield* handle.createReadStream({ encoding: "utf8" }) as AsyncIterable<string>;
  } catch (error) {
    throw new AwoooiError("invalid", `The file cannot be read: ${messageOf(error)}.`);
  }
}

/** The text of a file, or of stdin for `-`. Throws `invalid`. */
export async function readInput(file: string, stdin: AsyncIterable<string>): Promise<string> {
  if (file === "-") return withoutMark(await readAll(stdin));
  try {
    return withoutMark(await readFile(file, "utf8"));
  } catch (error) {
    throw new AwoooiError("invalid", `The file cannot be read: ${messageOf(error)}.`);
  }
}
