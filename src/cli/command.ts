import { type Command, type CommandOptions, InvalidArgumentError, Option } from "commander";
import { wireId, wireText } from "../contract/common.ts";
import type { Server } from "./client.ts";
import type { CliIo } from "./io.ts";
import type { Printer } from "./print.ts";

/** What every command receives. `server` throws `invalid` when its URL or token is invalid. */
export type Session = {
  io: CliIo;
  out: Printer;
  err: Printer;
  server: () => Server;
  /** Sets the exit code for a command that throws nothing. */
  exit: (code: number) => void;
};

/** Adds a command that has subcommands. */
export function addGroup(program: Command, name: string, summary: string): Command {
  return program.command(name).description(summary);
}

/** Adds a command to a group, with `--json` and examples that people can copy. */
export function addSubcommand(
  parent: Command,
  spec: string,
  summary: string,
  examples: readonly string[],
  options: CommandOptions = {},
): Command {
  const command = parent.command(spec, options).description(summary);
  command.option("--json", "print the server's JSON");
  return withExamples(command, examples);
}

/** Returns how this program is started: the name of the root command. */
function programOf(command: Command): string {
  let at = command;
  while (at.parent !== null) at = at.parent;
  return at.name();
}

export function withExamples(command: Command, examples: readonly string[]): Command {
  const title = examples.length === 1 ? "Example" : "Examples";
  return command.addHelpText("after", () => {
    const program = programOf(command);
    const typed = examples.map((one) =>
      one.replace(/(^| )awoooi (?=[a-z])/g, (_, before) => `${before}${program} `),
    );
    return `\n${title}:\n${typed.map((one) => `  $ ${one}`).join("\n")}`;
  });
}

/** Creates an option whose value is one of `values`. */
export function choiceOption(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

/** Parses an id argument; anything else cannot exist and must not become part of a path. */
export function id(text: string): string {
  if (wireId.safeParse(text).success) return text;
  throw new InvalidArgumentError("It is not an id, which has letters, digits and hyphens.");
}

/** Parses the maximum number of entries of a list: 1 to 200. */
export function limit(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= 200) return value;
  throw new InvalidArgumentError("It must be a number from 1 to 200.");
}

/** Parses a number of seconds, from one second to one week. */
export function seconds(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= 604_800) return value;
  throw new InvalidArgumentError("It must be a number of seconds, from 1 to 604800.");
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Parses `30m`, `2h` or `1.5d` into seconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (number === undefined || unit === undefined)
    throw new InvalidArgumentError("It must be a duration such as 30m, 2h or 7d.");
  return Number(number) * (UNITS[unit] ?? 1);
}

/** Collects the values of a repeatable option. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Collects `key=value` pairs; the last one of equal keys wins. */
export function pair(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const [, key, value] = /^([A-Za-z_][\w.:/-]*)=([\s\S]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined || !wireText(100_000).safeParse(value).success) {
    throw new InvalidArgumentError("It must be key=value.");
  }
  return { ...before, [key]: value };
}
