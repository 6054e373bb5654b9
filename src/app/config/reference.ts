import { stringify } from "yaml";
import type { z } from "zod";
import { restartPaths, type SettingInfo, settingInfo } from "../../lib/setting.ts";
import { ENVIRONMENT } from "./load.ts";
import { configSchema } from "./schema.ts";

/** Columns of a line, beyond which its description is put above it. */
const WIDTH = 120;
/** Columns up to which a section or list is written in one line. */
const SHORT = 80;

/** Writes a value as YAML in one line. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (value === null || typeof value !== "object")
    return stringify([value], { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 })
      .trim()
      .slice(1, -1);
  const entries = Object.entries(value).map(([name, inner]) => `${name}: ${written(inner)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** Breaks a text into comment lines. */
function comment(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(/\s+/)) {
    if (line.length + 1 + word.length > WIDTH - 4 && line !== "#") {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

const indented = (lines: readonly string[], by = "  "): string[] => lines.map((line) => by + line);
const commentedOut = (lines: readonly string[]): string[] => indented(lines, "# ");

/** Puts the description behind the first line, or above it if it is long. */
function described([first = "", ...rest]: readonly string[], description: string | undefined): string[] {
  if (description === undefined) return [first, ...rest];
  const line = `${first} # ${description}`;
  return line.length <= WIDTH - 10 ? [line, ...rest] : [...comment(description), first, ...rest];
}

/** Returns what a reader is shown for a setting, also for one without a default. */
function exampleOf({ example, initial, base, secret }: SettingInfo): unknown {
  const { entries, values } = base._zod.def as unknown as { entries?: object; values?: unknown[] };
  return example ?? initial ?? Object.values(entries ?? {})[0] ?? values?.[0] ?? (secret && "…");
}

/** Returns the lines of the settings of a section. `sample`: with an example where there is no default. */
function linesIn(
  shape: NonNullable<SettingInfo["shape"]>,
  seen: ReadonlySet<object>,
  sample: boolean,
): string[] {
  return Object.entries(shape).flatMap(([name, inner]) => {
    const lines = linesOf(name, inner, seen, sample);
    return sample && settingInfo(inner).alternative ? commentedOut(lines) : lines;
  });
}

/** Returns one line for a small section whose settings need no description each; null for any other. */
function inOneLine(shape: NonNullable<SettingInfo["shape"]>): string | null {
  const all = Object.entries(shape).map(([name, schema]) => ({ name, ...settingInfo(schema) }));
  const isPlain = ({ shape: inner, element, description, initial }: SettingInfo) =>
    (inner ?? element ?? description) === undefined && initial !== undefined;
  if (!all.every(isPlain)) return null;
  const line = written(Object.fromEntries(all.map(({ name, initial }) => [name, initial])));
  return line.length <= SHORT ? line : null;
}

/** Returns an item of a list of sections, for a reader to copy; empty for any other list, and inside itself. */
function sampleItem(element: z.core.$ZodType | undefined, seen: ReadonlySet<object>): string[] {
  const shape = element && settingInfo(element).shape;
  if (shape === undefined || seen.has(shape)) return [];
  const lines = linesIn(shape, new Set([...seen, shape]), true);
  const first = lines.findIndex((line) => !line.startsWith("#"));
  return lines.map((line, at) => (at < first ? line : (at === first ? "- " : "  ") + line));
}

/** Returns the lines of a section: in one line if it is small, else with each of its settings. */
function linesOfSection(
  name: string,
  { shape = {}, description, initial }: SettingInfo,
  seen: ReadonlySet<object>,
  sample: boolean,
): string[] {
  const line = inOneLine(shape);
  if (line !== null) return described([`${name}: ${line}`], description);
  const inner = linesIn(shape, seen, sample || initial === undefined);
  const lines = described([`${name}:`, ...indented(inner)], description);
  return initial === undefined && !sample ? commentedOut(lines) : lines;
}

/** Returns the lines of one setting, with its default or, in a comment, an example. */
function linesOf(
  name: string,
  schema: z.core.$ZodType,
  seen: ReadonlySet<object>,
  sample: boolean,
): string[] {
  const info = settingInfo(schema);
  const { description, initial, example } = info;
  if (info.shape !== undefined) return linesOfSection(name, info, seen, sample);
  const item = sampleItem(info.element, seen);
  if (sample && item.length > 0 && example === undefined)
    return described([`${name}:`, ...indented(item)], description);
  const value = sample ? exampleOf(info) : initial;
  if (value === undefined) return described([`# ${name}: ${written(exampleOf(info))}`], description);
  const line = `${name}: ${written(value)}`;
  const lines =
    Array.isArray(value) && line.length > SHORT
      ? [`${name}:`, ...indented(value.map((one) => `- ${written(one)}`))]
      : [line];
  if (sample) return described(lines, description);
  const shown = item.length > 0 ? item : example === undefined ? [] : [`${name}: ${written(example)}`];
  return [...described(lines, description), ...commentedOut(shown)];
}

const HEAD = `Every setting with its default. Copy what you change into \`awoooi.yaml\`, which is read from the folder where the
server starts, or from \`--config FILE\`, or from AWOOOI_CONFIG. Durations: 500ms, 30s, 10m, 1h, 7d. \`awoooi config check\`
prints its errors, \`awoooi config schema\` prints the schema that the first line names.`;

/** Returns the reference of `awoooi.yaml`: every setting with its default and description, from the schema alone. */
export function configReference(): string {
  const environment = Object.entries(ENVIRONMENT).map(([name, path]) =>
    path.endsWith("[]") ? `${name} (one more of ${path.slice(0, -2)})` : `${name} (${path})`,
  );
  const head = [
    HEAD,
    `SIGHUP or \`awoooi config reload\` applies a changed file, as a whole or not at all. A restart is needed for ${restartPaths(configSchema).join(", ")}. Work in progress uses the new settings from its next act on: once the command has answered, no act begins with the old ones.`,
    `The environment overrides the file: ${environment.join(", ")}. For each of them, NAME_FILE names a file that holds the value. ENVIRONMENT is a variable that other software uses, too: prod or production means prod, whatever AWOOOI_ENV says, since the stricter one wins; any other value changes nothing. Case does not matter in these values.`,
  ];
  const sections = Object.entries(configSchema.shape).map(([name, schema]) =>
    linesOf(name, schema, new Set(), false),
  );
  const text = [
    "# yaml-language-server: $schema=awoooi.schema.json",
    ...head.flatMap((part) => ["#", ...comment(part)]),
  ];
  return `${[text, ...sections].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
