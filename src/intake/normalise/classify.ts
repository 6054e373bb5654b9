import { beginsWith, hasWord, metricsOf, nameWords, textWords } from "./alert-words.ts";
import type { Classification, ClassificationRule } from "./classification.ts";
import { type Severities, saidSeverity } from "./severity.ts";

export type Classified = {
  rule: string;
  reason: string;
  category: string;
  notification_type: string;
  /** Whether it is a heartbeat rather than trouble. */
  heartbeat: boolean;
  /** Whether it reports the progress of a pipeline, rather than trouble. */
  progress: boolean;
};

export type ClassifyInput = {
  alert_name: string;
  severity?: string | undefined;
  labels: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>> | undefined;
  /** The alert's PromQL expression, where it is known. */
  expr?: string | undefined;
};

// Labels whose values name the software that an alert comes from or is about.
const NAMING = [
  "job",
  "exporter",
  "integration",
  "app",
  "app_kubernetes_io_name",
  "service",
  "component",
  "container",
  "container_name",
  "process",
  "image",
];
const TELLING = ["summary", "description", "message", "title"];

type Matcher = (one: ClassificationRule) => string | undefined;

/** Returns a function that gives a rule's reason to match the alert; what few rules need is computed on first use. */
function matcher(alert: ClassifyInput, severities: Severities): Matcher {
  const { alert_name: name, labels } = alert;
  // The severity as sent, and its word in the table: `informational` also matches `info`.
  const severity = [alert.severity?.trim().toLowerCase(), saidSeverity(alert.severity, severities)?.word];
  const lower = name.toLowerCase();
  const once = <T>(make: () => T) => {
    let made: { value: T } | undefined;
    return () => {
      made ??= { value: make() };
      return made.value;
    };
  };
  const words = once(() => nameWords(name));
  const metrics = once(() => metricsOf(alert.expr ?? ""));
  const naming = once(() =>
    NAMING.flatMap((label) => (labels[label] ? [{ label, words: nameWords(labels[label]) }] : [])),
  );
  const text = once(() => textWords(TELLING.map((key) => alert.annotations?.[key] ?? "").join(" ")));
  return (one) => {
    if (one.equals.includes(name)) return `the name is ${name}`;
    const start = one.starts_with.find((prefix) => name.startsWith(prefix));
    if (start !== undefined) return `the name starts with ${start}`;
    const part = one.contains.find((piece) => lower.includes(piece));
    if (part !== undefined) return `the name contains ${part}`;
    const bad = one.severity.find((each) => severity.includes(each));
    if (bad !== undefined) return `the severity is ${bad}`;
    const first = one.first_words.find((each) => beginsWith(words(), each));
    if (first !== undefined) return `the name begins with the word ${first}`;
    const word = one.words.find((each) => hasWord(words(), each));
    if (word !== undefined) return `the name has the word ${word}`;
    if (one.metrics.length > 0) {
      const metric = metrics().find((each) => one.metrics.some((prefix) => each.startsWith(prefix)));
      if (metric !== undefined) return `the expression asks for ${metric}`;
    }
    for (const each of one.label_words) {
      const found = naming().find((candidate) => hasWord(candidate.words, each));
      if (found !== undefined) return `the label ${found.label} has the word ${each}`;
    }
    const label = one.has_label.find((each) => labels[each]);
    if (label !== undefined) return `there is a label ${label}`;
    const told = one.text_words.find((each) => text().has(each));
    if (told !== undefined) return `an annotation has the word ${told}`;
    return one.always ? "nothing else matched" : undefined;
  };
}

type Outcome = Omit<Classified, "heartbeat" | "progress">;

function outcome(one: ClassificationRule, reason: string, alert: ClassifyInput): Outcome {
  const { id: rule, category, notification_type, when_label_at_least: limit } = one;
  const value = limit === undefined ? Number.NaN : Number.parseFloat(alert.labels[limit.label] ?? "");
  if (limit === undefined || !(value >= limit.value)) return { rule, reason, category, notification_type };
  const because = `${reason}, and ${limit.label} is at least ${limit.value}`;
  return { rule, reason: because, category, notification_type: limit.notification_type };
}

/**
 * Returns the category and notification type of an alert, and which rule gave them for what reason. Whether it is a heartbeat is
 * checked separately: Watchdog comes with severity none, and so matches an earlier rule.
 */
export function classify({ rules, severities }: Classification, alert: ClassifyInput): Classified {
  const match = matcher(alert, severities);
  const heartbeat = rules.some((one) => one.heartbeat && match(one) !== undefined);
  for (const one of rules) {
    const reason = match(one);
    if (reason !== undefined) return { ...outcome(one, reason, alert), heartbeat, progress: one.progress };
  }
  throw new Error("a classification table ends with a rule that matches everything");
}

/** Returns every rule that matches, in order: the first of them decides. */
export function matchingRules(
  { rules, severities }: Classification,
  alert: ClassifyInput,
): (Outcome & { decides: boolean })[] {
  const match = matcher(alert, severities);
  const all = rules.flatMap((one) => {
    const reason = match(one);
    return reason === undefined ? [] : [outcome(one, reason, alert)];
  });
  return all.map((one, index) => ({ ...one, decides: index === 0 }));
}
