import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { AwoooiError, type FieldError } from "../../../lib/error.ts";

export type Path = readonly (string | number)[];

/** Records why the setting at a path was not taken over as it is. */
export type Remark = (path: Path, message: string) => void;

// A key without a value counts as absent.
const open = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => value ?? undefined, schema.optional());
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = open(z.array(text));
const pairs = open(z.record(z.string(), text));

export type RouteConfig = {
  receiver?: string | undefined;
  matchers?: string[] | undefined;
  match?: Record<string, string> | undefined;
  match_re?: Record<string, string> | undefined;
  continue?: boolean | undefined;
  mute_time_intervals?: string[] | undefined;
  active_time_intervals?: string[] | undefined;
  routes?: RouteConfig[] | undefined;
  [other: string]: unknown;
};

const route: z.ZodType<RouteConfig> = z.looseObject({
  receiver: open(z.string()),
  matchers: texts,
  match: pairs,
  match_re: pairs,
  continue: open(z.boolean()),
  mute_time_intervals: texts,
  active_time_intervals: texts,
  routes: open(z.array(z.lazy(() => route))),
});

const integration = z.looseObject({});
const webhookConfig = z.looseObject({ url: open(z.string()), url_file: open(z.string()) });
const receiver = z
  .looseObject({ name: z.string().min(1), webhook_configs: open(z.array(webhookConfig)) })
  .catchall(z.union([z.array(integration), z.null()]));
export type ReceiverConfig = z.infer<typeof receiver>;

const inhibitRule = z.looseObject({
  source_matchers: texts,
  target_matchers: texts,
  source_match: pairs,
  source_match_re: pairs,
  target_match: pairs,
  target_match_re: pairs,
  equal: texts,
});

const interval = z.looseObject({
  times: open(z.array(z.strictObject({ start_time: z.string(), end_time: z.string() }))),
  weekdays: texts,
  days_of_month: texts,
  months: texts,
  years: texts,
  location: open(z.string()),
});
export type IntervalConfig = z.infer<typeof interval>;
const namedInterval = z.looseObject({ name: z.string().min(1), time_intervals: open(z.array(interval)) });

/** The parts of Alertmanager's configuration that are read, versions 0.22 to 0.28; other keys are kept. */
const schema = z.looseObject({
  global: open(z.looseObject({ resolve_timeout: open(text) })),
  templates: texts,
  route,
  receivers: z.array(receiver),
  inhibit_rules: open(z.array(inhibitRule)),
  time_intervals: open(z.array(namedInterval)),
  mute_time_intervals: open(z.array(namedInterval)),
});
export type AlertmanagerConfig = z.infer<typeof schema>;

/** Formats a path for people: `route.routes[0].matchers`. */
export const pathText = (path: Path): string =>
  path.map((key, at) => (typeof key === "number" ? `[${key}]` : at === 0 ? key : `.${key}`)).join("");

/** Returns the line, from 1, of a path, or of its nearest parent that is in the file. */
function lineAt(document: Document, lines: LineCounter, path: Path): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}

export type ReadConfig = { config: AlertmanagerConfig; lineOf: (path: Path) => number | null };

/** Creates the error for a configuration that Alertmanager itself would refuse. */
export const notAConfiguration = (errors: FieldError[]) =>
  new AwoooiError("invalid", "Alertmanager would refuse this configuration; nothing was converted.", {
    errors,
  });

/** Creates an error at a path, with its line. */
export function fieldError(read: Pick<ReadConfig, "lineOf">, path: Path, message: string): FieldError {
  const line = read.lineOf(path);
  return { path: pathText(path), message: line === null ? message : `${message} (line ${line})` };
}

/** Parses Alertmanager's configuration. Throws `invalid` with every error in it. */
export function readAlertmanager(source: string): ReadConfig {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, merge: true });
  const lineOf = (path: Path) => lineAt(document, lines, path);
  const [broken] = document.errors;
  // Only the first line of the message: the rest quotes the file, which may hold secrets.
  if (broken !== undefined)
    throw notAConfiguration([{ path: "", message: broken.message.split("\n")[0] ?? "not YAML" }]);
  const parsed = schema.safeParse(document.toJS());
  if (parsed.success) return { config: parsed.data, lineOf };
  const errors = parsed.error.issues.map(({ path, message }) =>
    fieldError(
      { lineOf },
      path.filter((key) => typeof key !== "symbol"),
      message,
    ),
  );
  throw notAConfiguration(errors);
}
