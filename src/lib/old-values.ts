/** What installations of before called what has another name here, in lower case. */
const SEVERITIES: Record<Severity, readonly string[]> = {
  P0: ["critical", "page", "emergency", "fatal", "crit", "disaster", "urgent", "sev0", "sev1"],
  P1: ["high", "error", "major", "sev2"],
  P2: ["warning", "warn", "medium", "average", "sev3"],
  P3: ["low", "info", "minor", "notice", "none", "sev4", "sev5", "p4", "p5"],
};
const STATUSES: Record<IncidentStatus, readonly string[]> = {
  investigating: [
    "open",
    "opened",
    "new",
    "active",
    "firing",
    "triggered",
    "pending",
    "acknowledged",
    "analyzing",
  ],
  mitigating: ["in_progress", "executing", "repairing", "mitigated", "monitoring"],
  resolved: ["fixed", "recovered", "completed", "done", "auto_resolved"],
  closed: ["archived", "cancelled", "ignored"],
};
const ALERT_STATUSES: Record<AlertStatus, readonly string[]> = {
  firing: ["open", "active", "triggered", "alerting"],
  held: [],
  resolved: ["ok", "closed", "inactive", "recovered"],
};

type Severity = "P0" | "P1" | "P2" | "P3";
type IncidentStatus = "investigating" | "mitigating" | "resolved" | "closed";
type AlertStatus = "firing" | "held" | "resolved";

/** A column's values: what they are now, by what they are or were. */
export type Vocabulary<Value extends string> = {
  values: readonly Value[];
  /** Pairs of an old word, in lower case, and its value. */
  old: ReadonlyMap<string, Value>;
  /** What a word is that nobody knows: nothing may be lost by it. */
  otherwise: Value;
};

function vocabulary<Value extends string>(
  words: Record<Value, readonly string[]>,
  otherwise: Value,
): Vocabulary<Value> {
  const values = Object.keys(words) as Value[];
  const old = values.flatMap((value) =>
    [value.toLowerCase(), ...words[value]].map((word) => [word, value] as const),
  );
  return { values, old: new Map(old), otherwise };
}

export const SEVERITY = vocabulary<Severity>(SEVERITIES, "P2");
// A person sees it, and closes it where it is over.
export const INCIDENT_STATUS = vocabulary<IncidentStatus>(STATUSES, "investigating");
export const ALERT_STATUS = vocabulary<AlertStatus>(ALERT_STATUSES, "resolved");

/** A stored value as it is called now. */
export function present<Value extends string>(of: Vocabulary<Value>, stored: string): Value {
  if ((of.values as readonly string[]).includes(stored)) return stored as Value;
  return of.old.get(stored.trim().toLowerCase()) ?? of.otherwise;
}
