import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Severity } from "../../contract/common.ts";
import { AwoooiError, type FieldError, messageOf } from "../../lib/error.ts";
import { type Severities, severityTable } from "./severity.ts";

const notificationType = z.enum(["TYPE-1", "TYPE-3", "TYPE-4D", "TYPE-5S", "TYPE-6B", "TYPE-8M"]);
const texts = z.array(z.string().min(1)).default([]);
/** A list, or for long lists a text whose words are separated by spaces. */
const listed = <T extends z.ZodType<string>>(item: T) =>
  z.preprocess(
    (value) => (typeof value === "string" ? value.split(/\s+/).filter(Boolean) : value),
    z.array(item),
  );
const words = listed(z.string().regex(/^[a-z0-9]+$/, "words are lower case letters and digits")).default([]);

const rule = z.strictObject({
  id: z.string().regex(/^[a-z0-9_]+$/, "an id has lower case letters, digits and underscores"),
  equals: texts,
  starts_with: texts,
  contains: z
    .array(
      z
        .string()
        .min(1)
        .refine((text) => text === text.toLowerCase(), "write this in lower case"),
    )
    .default([]),
  severity: z
    .array(
      z
        .string()
        .min(1)
        .refine((text) => text === text.toLowerCase(), "write this in lower case"),
    )
    .default([]),
  first_words: words,
  words,
  metrics: listed(z.string().min(1)).default([]),
  label_words: words,
  has_label: texts,
  text_words: words,
  always: z.boolean().default(false),
  category: z.string().regex(/^[a-z0-9_]+$/, "a category has lower case letters, digits and underscores"),
  notification_type: notificationType,
  heartbeat: z.boolean().default(false),
  progress: z.boolean().default(false),
  when_label_at_least: z
    .strictObject({ label: z.string().min(1), value: z.number(), notification_type: notificationType })
    .optional(),
});
export type ClassificationRule = z.infer<typeof rule>;

/** The rules that classify alerts: an ordered table whose last rule matches everything. */
export type Classification = { rules: readonly ClassificationRule[]; severities: Severities };

const CONDITIONS = [
  "equals",
  "starts_with",
  "contains",
  "severity",
  "first_words",
  "words",
  "metrics",
  "label_words",
  "has_label",
  "text_words",
] as const;

// The rule of the shipped table that takes the installation's external sites.
const SITES = "external_site";

/** Parses the rules in `yaml`; throws `invalid` with every error in them. */
function parse(yaml: string, name: string): ClassificationRule[] {
  const fail = (errors: FieldError[]) =>
    new AwoooiError("invalid", `The classification in ${name} is not valid.`, { errors });
  const document = parseDocument(yaml);
  if (document.errors.length > 0) throw fail(document.errors.map(({ message }) => ({ path: "", message })));
  let tree: unknown;
  try {
    tree = document.toJS() ?? [];
  } catch (error) {
    throw fail([{ path: "", message: messageOf(error) }]);
  }
  const parsed = z.array(rule).safeParse(tree);
  if (!parsed.success)
    throw fail(parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
  const errors = parsed.data.flatMap((one, index): FieldError[] => {
    const twice = parsed.data.findIndex((other) => other.id === one.id) < index;
    const idle = !one.always && one.id !== SITES && CONDITIONS.every((key) => one[key].length === 0);
    return [
      ...(twice ? [{ path: `${index}.id`, message: `there are two rules ${one.id}` }] : []),
      ...(idle ? [{ path: `${index}`, message: `needs one of ${CONDITIONS.join(", ")}` }] : []),
    ];
  });
  if (errors.length > 0) throw fail(errors);
  return parsed.data;
}

function shipped(): ClassificationRule[] {
  return parse(
    readFileSync(new URL("./classification.yaml", import.meta.url), "utf8"),
    "classification.yaml",
  );
}

/** Parses an installation's own rules, which come before the shipped ones. Throws `invalid` with all errors at once. */
export function parseClassification(yaml: string, name: string): ClassificationRule[] {
  const own = parse(yaml, name);
  const ids = new Set(shipped().map((one) => one.id));
  const errors = own.flatMap(({ id, always }, index): FieldError[] => [
    ...(ids.has(id) ? [{ path: `${index}.id`, message: `there is a shipped rule ${id}` }] : []),
    // It would hide every shipped rule.
    ...(always
      ? [{ path: `${index}.always`, message: "only the last shipped rule may match everything" }]
      : []),
  ]);
  if (errors.length === 0) return own;
  throw new AwoooiError("invalid", `The classification in ${name} is not valid.`, { errors });
}

function readOwn(file: string): ClassificationRule[] {
  let yaml: string;
  try {
    yaml = readFileSync(file, "utf8");
  } catch (error) {
    throw new AwoooiError("invalid", `The classification in ${file} cannot be read: ${messageOf(error)}.`);
  }
  return parseClassification(yaml, file);
}

/** Returns a rule for alerts that only report the progress of a pipeline, whatever else their names say. */
function pipelines(names: readonly string[]): ClassificationRule[] {
  const about = { id: "ci_cd", category: "devops_tool", notification_type: "TYPE-1", progress: true };
  return names.length === 0 ? [] : [rule.parse({ ...about, equals: names })];
}

/**
 * Loads the shipped table, with the installation's external sites (alert names) in it. Before it come the installation's CI/CD
 * alerts (names as well) and its own rules, from `file`; `severities` adds its own words for severities.
 */
export function loadClassification(
  externalSites: readonly string[] = [],
  file?: string,
  ciCd: readonly string[] = [],
  severities: Readonly<Record<string, Severity>> = {},
): Classification {
  const own = file === undefined ? [] : readOwn(file);
  const table = shipped().map((one) => (one.id === SITES ? { ...one, equals: [...externalSites] } : one));
  if (table.at(-1)?.always !== true) throw new Error("the last rule must say `always: true`");
  return { rules: [...pipelines(ciCd), ...own, ...table], severities: severityTable(severities) };
}
