import { clip } from "./clip.ts";
import { AwoooiError, messageOf } from "./error.ts";
import { LONGEST_VALUE, linearPattern } from "./linear-pattern.ts";

/** One condition on a label. A missing label has the empty value; a regular expression must match the whole value. */
export type Matcher = { name: string; value: string; is_regex: boolean; is_equal: boolean };

export type Labels = Readonly<Record<string, string>>;
export type LabelTest = (labels: Labels) => boolean;

const OPERATORS = {
  "=~": { is_regex: true, is_equal: true },
  "!~": { is_regex: true, is_equal: false },
  "!=": { is_regex: false, is_equal: false },
  "=": { is_regex: false, is_equal: true },
} as const;
type Operator = keyof typeof OPERATORS;

const invalid = (text: string, why: string) =>
  new AwoooiError("invalid", `The matcher ${JSON.stringify(clip(text, 200))} is not valid: ${why}.`);

const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
const NAME = /[A-Za-z_:][\w:]*/y;
const OPERATOR = /=~|!~|!=|=/y;
const BARE = /(?:[^,"\\]|\\.)*/sy;

// As in Alertmanager, an unknown escape is kept as written: it may be part of a regular expression.
const unescaped = (text: string) =>
  text.replace(/\\(["\\n])/g, (_, char: string) => (char === "n" ? "\n" : char));

/**
 * Parses matchers in Alertmanager's syntax: `severity="critical"`, `{a="b",c=~"d|e"}`. Quotes may be left out
 * around a value without comma or quote. Throws `invalid`.
 */
export function parseMatchers(text: string): Matcher[] {
  let source = text.trim();
  if (source.startsWith("{")) {
    if (!source.endsWith("}")) throw invalid(text, "the { is not closed");
    source = source.slice(1, -1);
  }
  let at = 0;
  const take = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at;
    const found = form.exec(source);
    if (found !== null) at = form.lastIndex;
    return found;
  };
  const matchers: Matcher[] = [];
  for (take(/\s*/y); at < source.length; take(/\s*/y)) {
    const quotedName = take(QUOTED);
    const name = quotedName === null ? take(NAME)?.[0] : unescaped(quotedName[1] ?? "");
    if (name === undefined || name === "") throw invalid(text, `a label name is missing at ${at + 1}`);
    take(/\s*/y);
    const operator = take(OPERATOR)?.[0] as Operator | undefined;
    if (operator === undefined) throw invalid(text, `after ${name}, =, !=, =~ or !~ is expected`);
    take(/\s*/y);
    const quoted = take(QUOTED);
    const value = unescaped(quoted?.[1] ?? take(BARE)?.[0].trimEnd() ?? "");
    matchers.push({ name, value, ...OPERATORS[operator] });
    take(/\s*/y);
    if (at < source.length && take(/,/y) === null)
      throw invalid(text, `after the value of ${name} a comma is missing, or a quote is not escaped`);
  }
  return matchers;
}

/** Formats a matcher in Alertmanager's syntax: `severity=~"critical|page"`. */
function matcherText({ name, value, is_regex, is_equal }: Matcher): string {
  const operator = is_regex ? (is_equal ? "=~" : "!~") : is_equal ? "=" : "!=";
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `${/^[A-Za-z_:][\w:]*$/.test(name) ? name : JSON.stringify(name)}${operator}"${escaped}"`;
}

export function matchersText(matchers: readonly Matcher[]): string {
  return matchers.map(matcherText).join(",");
}

// Results are cached by value, as an alert storm repeats a few values.
const KEPT_ANSWERS = 1_000;
const KEPT_LENGTH = 200;

function remembered(test: (value: string) => boolean): (value: string) => boolean {
  const answers = new Map<string, boolean>();
  return (value) => {
    const before = answers.get(value);
    if (before !== undefined) return before;
    const answer = test(value);
    if (value.length > KEPT_LENGTH) return answer;
    if (answers.size >= KEPT_ANSWERS) answers.clear();
    answers.set(value, answer);
    return answer;
  };
}

function compileMatcher(matcher: Matcher): (value: string) => boolean {
  const { value: wanted, is_regex, is_equal } = matcher;
  if (!is_regex) return (value) => (value === wanted) === is_equal;
  try {
    const fits = remembered(linearPattern(wanted));
    // A longer value matches neither =~ nor !~, so that no silence, inhibition or route applies by it.
    return (value) => value.length <= LONGEST_VALUE && fits(value) === is_equal;
  } catch (error) {
    throw invalid(matcherText(matcher), messageOf(error));
  }
}

/** Returns a test whether labels match all of `matchers`; without matchers it is true. Throws `invalid` for a bad expression. */
export function compileMatchers(matchers: readonly Matcher[]): LabelTest {
  const tests = matchers.map((matcher) => ({ name: matcher.name, fits: compileMatcher(matcher) }));
  // Own properties only: a matcher may name `constructor`.
  return (labels) =>
    tests.every(({ name, fits }) => fits(Object.hasOwn(labels, name) ? (labels[name] ?? "") : ""));
}

/** Returns whether the matchers match an alert without labels. Alertmanager refuses a silence with such matchers. */
export function matchesEverything(matchers: readonly Matcher[]): boolean {
  return compileMatchers(matchers)({});
}
