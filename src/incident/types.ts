import type { Frequency, OperationTarget } from "../contract/incident.ts";
import type { incidents } from "../db/schema.ts";
import type { StoredAlert } from "../intake/index.ts";

export type IncidentRow = Omit<typeof incidents.$inferSelect, "operation_target" | "frequency"> & {
  operation_target: OperationTarget | null;
  /** As of its opening; null: it was opened before this was stored. */
  frequency: Frequency | null;
};

/** How many occurrences raise trouble to tier 2, 3 and 4. */
export type Escalation = { in_24_hours: number; in_7_days: number; in_30_days: number };

/** `ends` ends within `within` seconds are flapping, which is over after a quiet period of the same length. */
export type Flapping = { ends: number; within: number };

/** For how long alerts count as the same trouble, and related times. Seconds. */
export type IncidentWindows = {
  /** New instances within this time of the last one reopen a resolved incident. */
  active: number;
  /** Trouble that returns within this time of a repair means that the repair failed. */
  repair: number;
  /** An alert that still fires this long after its incident was resolved reopens it. */
  cool_down: number;
  /** Trouble that only a person can repair, and that still fires this long after its notice, is announced again. */
  watch: number;
  /** An incident without any alert received for this long is over. */
  ttl: number;
  /** A resolved incident is closed after this time. */
  close_after: number;
  escalation: Escalation;
  flapping: Flapping;
};

/** The result of converging the alerts of one incident. */
export type Convergence = {
  incident: IncidentRow;
  kind: "opened" | "converged" | "reopened";
  /** Reopened because its repair did not hold. */
  repair_failed: boolean;
  /** Converged with a higher severity than the incident had, or as trouble where the incident was information. */
  raised: boolean;
  /** It was information until now, so that its trouble begins here. */
  becomes_trouble: boolean;
  /** It recurs so often that the same repair is no answer, and this has not been reported yet. */
  needs_permanent_fix: boolean;
  alerts: StoredAlert[];
};

/** What resolved an incident: a verified repair, the end of its alerts, a person, or the absence of any further alert. */
export type ResolvedThrough = "repair" | "notice" | "person" | "silence";
