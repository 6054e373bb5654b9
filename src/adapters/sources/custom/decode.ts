import { anyText, asText, texts, time } from "../../../contract/lenient.ts";
import type { DecodeSteps, SourceAlert } from "../../../intake/index.ts";
import { canonicalJson, sha256 } from "../../../lib/canonical-json.ts";
import { clip } from "../../../lib/clip.ts";
import { messageOf } from "../../../lib/error.ts";
import type { FieldMap, FieldValues } from "./config.ts";
import { compiled, type Expression, evaluateIn, takeTruncations } from "./expression.ts";

/** A field map with its expressions compiled. */
export type CompiledMap = {
  alerts: Expression | undefined;
  texts: Partial<Record<TextField, Expression>>;
  labels: Named;
  annotations: Named;
  status: ReadonlyMap<string, string>;
  severity: ReadonlyMap<string, string>;
};

const TEXT_FIELDS = [
  "alertname",
  "status",
  "severity",
  "namespace",
  "target_resource",
  "message",
  "url",
  "starts_at",
  "ends_at",
  "fingerprint",
] as const;
type TextField = (typeof TEXT_FIELDS)[number];
type Named = Expression | Record<string, Expression> | undefined;

// Limits per body. A running expression cannot be stopped and its result may be large, so no further alert is begun
// once a limit is reached. A vendor's body usually has a few alerts.
const MOST_ALERTS = 10_000;
const BUDGET_MS = 2_000;
// Characters in the labels and annotations of all its alerts: an expression may give each of them the whole body.
const MOST_TEXT = 16 * 1024 * 1024;
const LONGEST_FINGERPRINT = 255;
// Labels or annotations of one alert. A body made only of labels would take seconds.
const MOST_NAMES = 1_000;

// The default where the map does not define them.
const STATUS: FieldValues["status"] = {
  resolved: ["resolved", "ok", "closed", "recovered", "recovery", "normal", "clear", "cleared", "up"],
};

/** Returns a map from the source's words, in lower case, to ours. */
function wordsOf(lists: Record<string, readonly string[] | undefined>): Map<string, string> {
  const entries = Object.entries(lists);
  return new Map(
    entries.flatMap(([ours, theirs]) =>
      (theirs ?? []).map((word): [string, string] => [word.trim().toLowerCase(), ours]),
    ),
  );
}

function namedOf(given: FieldMap["fields"]["labels"]): Named {
  if (given === undefined) return undefined;
  if (typeof given === "string") return compiled(given);
  return Object.fromEntries(Object.entries(given).map(([name, text]) => [name, compiled(text)]));
}

export function compileMap({ alerts, fields, values }: FieldMap): CompiledMap {
  return {
    alerts: alerts === undefined ? undefined : compiled(alerts),
    texts: Object.fromEntries(
      TEXT_FIELDS.flatMap((name) => {
        const text = fields[name];
        return text === undefined ? [] : [[name, compiled(text)]];
      }),
    ),
    labels: namedOf(fields.labels),
    annotations: namedOf(fields.annotations),
    status: wordsOf({ ...STATUS, ...values.status }),
    severity: wordsOf(values.severity),
  };
}

const SECONDS = /^\d{9,11}(\.\d+)?$/;
const MILLISECONDS = /^\d{12,14}$/;
const DATE = /^\d{4}-\d\d-\d\d/;
const ZONELESS = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/** Parses a time as vendors write it: RFC 3339, Unix seconds or milliseconds; UTC if it has no zone. */
function timeOf(text: string | undefined): Date | null {
  if (text === undefined) return null;
  if (SECONDS.test(text)) return time.parse(new Date(Number(text) * 1_000).toISOString());
  if (MILLISECONDS.test(text)) return time.parse(new Date(Number(text)).toISOString());
  // `Date` would also accept texts such as `7`, which are not meant as a time.
  if (!DATE.test(text)) return null;
  return time.parse(ZONELESS.test(text) ? `${text.replace(" ", "T")}Z` : text);
}

type Reader = {
  /** Returns undefined where the body has no value for the field. */
  text(name: TextField): string | undefined;
  named(expressions: Named): Record<string, string>;
};

/** Returns a reader of the fields of one part of the body. A failed expression counts as missing and calls `fault`. */
function readerOf(
  map: CompiledMap,
  evaluate: (expression: Expression) => unknown,
  fault: (name: string, reason: string) => void,
): Reader {
  const valueAt = (name: string, expression: Expression): unknown => {
    takeTruncations();
    try {
      const value = evaluate(expression);
      for (const what of takeTruncations()) fault(name, what);
      // A name that every object inherits, such as `constructor`, finds a function, which is no data.
      return typeof value === "function" ? null : (value ?? null);
    } catch (error) {
      fault(name, messageOf(error));
      return null;
    }
  };
  const textAt = (name: string, expression: Expression) =>
    anyText.parse(valueAt(name, expression)) ?? undefined;
  return {
    text(name) {
      const expression = map.texts[name];
      return expression === undefined ? undefined : textAt(name, expression);
    },
    named(expressions) {
      if (expressions === undefined) return {};
      if (isExpression(expressions)) {
        const found = valueAt("labels or annotations", expressions) ?? {};
        if (typeof found === "object" && Object.keys(found).length <= MOST_NAMES) return texts.parse(found);
        fault("labels or annotations", `no object of at most ${MOST_NAMES} names`);
        return {};
      }
      const entries = Object.entries(expressions).map(([name, one]) => [name, textAt(name, one)] as const);
      return Object.fromEntries(
        entries.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
      );
    },
  };
}

/** Tells the two forms apart: an expression's `type` is a string, a label named `type` holds an expression. */
const isExpression = (named: NonNullable<Named>): named is Expression => typeof named.type === "string";

/** Returns the sender's fingerprint, or a hash of what stays the same for an alert: neither message nor severity. */
function fingerprintOf(given: string | undefined, lasting: unknown): string {
  if (given !== undefined && given.length <= LONGEST_FINGERPRINT) return given;
  return sha256(given ?? canonicalJson(lasting)).slice(0, 32);
}

/** Returns the alert; null if the map ignores its status; a string with the reason if it is not an alert. */
function alertOf(map: CompiledMap, read: Reader, position: number): SourceAlert | null | string {
  const word = (text: string | undefined) => text?.toLowerCase() ?? "";
  const status = map.status.get(word(read.text("status"))) ?? "firing";
  if (status === "ignored") return null;
  const alertname = read.text("alertname");
  if (alertname === undefined) return "has no alertname";
  const said = read.text("severity");
  const severity = map.severity.get(word(said)) ?? said;
  const namespace = read.text("namespace");
  const target_resource = read.text("target_resource");
  const message = read.text("message");
  const lasting = { ...read.named(map.labels), alertname, ...(namespace === undefined ? {} : { namespace }) };
  const { severity: _, ...identity } = lasting as Record<string, string>;
  const resolved = status === "resolved";
  return {
    status: resolved ? "resolved" : "firing",
    labels: { ...lasting, ...(severity === undefined ? {} : { severity }) },
    annotations: { ...read.named(map.annotations), ...(message === undefined ? {} : { summary: message }) },
    starts_at: timeOf(read.text("starts_at")),
    ends_at: resolved ? timeOf(read.text("ends_at")) : null,
    source_fingerprint: fingerprintOf(read.text("fingerprint"), [identity, target_resource ?? null]),
    generator_url: read.text("url") ?? null,
    ...(target_resource === undefined ? {} : { target_resource }),
    position,
  };
}

/** Returns the parts of a body that are alerts, or a string that says why there are none. */
function partsOf(map: CompiledMap, body: unknown, at: (expression: Expression, part: unknown) => unknown) {
  if (map.alerts === undefined) return [body];
  try {
    const found = at(map.alerts, body);
    if (Array.isArray(found)) return found as unknown[];
    return found === null || found === undefined ? "the expression `alerts` finds nothing in it" : [found];
  } catch (error) {
    return `alerts: ${messageOf(error)}`;
  }
}

function lengthOf({ labels, annotations }: SourceAlert): number {
  const texts = [...Object.values(labels), ...Object.values(annotations)];
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** Decodes one part of the body into an alert, with the faults found in it. */
function partOf(
  map: CompiledMap,
  part: unknown,
  index: number,
  at: (expression: Expression, part: unknown) => unknown,
): { alert: SourceAlert | null; rejected: string[] } {
  const where = `alerts[${index}]`;
  if (part === null || typeof part !== "object")
    return { alert: null, rejected: [`${where} is not an object but ${clip(asText(part), 40)}`] };
  const rejected: string[] = [];
  const fault = (name: string, reason: string) => rejected.push(`${where}: ${name}: ${reason}`);
  const alert = alertOf(
    map,
    readerOf(map, (expression) => at(expression, part), fault),
    index,
  );
  // The value that failed or was cut off may be one that restricts what may be done about the alert.
  if (alert !== null && typeof alert !== "string" && rejected.length > 0)
    return { alert: { ...alert, incomplete: true }, rejected };
  if (typeof alert !== "string") return { alert, rejected };
  return { alert: null, rejected: [...rejected, `${where} ${alert}`] };
}

/** Decodes a body by a field map. Never throws: faults are in `reason` or `rejected`. */
export function* decodeBy(map: CompiledMap, body: unknown): DecodeSteps {
  takeTruncations();
  const parts = evaluateIn(body, (at) => partsOf(map, body, at));
  if (typeof parts === "string") return { ok: false, reason: parts };
  const alerts: SourceAlert[] = [];
  const beyond = takeTruncations();
  const rejected = beyond.map((what) => `alerts: ${what}`);
  let spent = 0;
  let made = 0;
  for (const [index, part] of parts.entries()) {
    if (index === MOST_ALERTS || spent > BUDGET_MS || made > MOST_TEXT) {
      const why =
        index === MOST_ALERTS
          ? "too many for one body"
          : `the map ${made > MOST_TEXT ? "makes too much text from one body" : "is too slow"}`;
      rejected.push(`alerts[${index}] and all after it: ${why}`);
      break;
    }
    const begun = performance.now();
    const said = evaluateIn(body, (at) => partOf(map, part, index, at));
    spent += performance.now() - begun;
    if (said.alert !== null) {
      alerts.push(beyond.length > 0 ? { ...said.alert, incomplete: true } : said.alert);
      made += lengthOf(said.alert);
    }
    rejected.push(...said.rejected);
    yield;
  }
  if (alerts.length === 0 && rejected.length > 0)
    return { ok: false, reason: rejected.slice(0, 20).join("; ") };
  return { ok: true, alerts, truncated: 0, rejected: rejected.slice(0, 100) };
}
