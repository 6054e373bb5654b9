/** The words of earlier installations, in lower case, by the value that stands for them now. */
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

/** The present values of a column, and the words that earlier installations stored for them. */
export type Vocabulary<Value extends string> = {
  values: readonly Value[];
  /** The present value by old word, in lower case. */
  old: ReadonlyMap<string, Value>;
  /** The value for an unknown word, chosen so that nothing is lost. */
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
// An unknown status becomes `investigating`: a person sees the incident, and closes it if it is over.
export const INCIDENT_STATUS = vocabulary<IncidentStatus>(STATUSES, "investigating");
export const ALERT_STATUS = vocabulary<AlertStatus>(ALERT_STATUSES, "resolved");

/** Returns the present value for a stored one; `otherwise` for an unknown word. */
export function presentValue<Value extends string>(of: Vocabulary<Value>, stored: string): Value {
  if ((of.values as readonly string[]).includes(stored)) return stored as Value;
  return of.old.get(stored.trim().toLowerCase()) ?? of.otherwise;
}
