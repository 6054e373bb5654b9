import type { Frequency, OperationTarget } from "../contract/incident.ts";
import type { incidents } from "../db/schema.ts";
import type { StoredAlert } from "../intake/index.ts";

export type IncidentRow = Omit<typeof incidents.$inferSelect, "operation_target" | "frequency"> & {
  operation_target: OperationTarget | null;
  /** As it was opened; null: from before that was kept. */
  frequency: Frequency | null;
};

/** How often trouble may come before it is one tier up: 2, 3 and 4. */
export type Escalation = { in_24_hours: number; in_7_days: number; in_30_days: number };

/** So many ends within so many seconds are flapping, which is over when it has been quiet for as long. */
export type Flapping = { ends: number; within: number };

/** How long what counts as the same trouble. Seconds. */
export type IncidentWindows = {
  /** New instances within this time of the last one continue a resolved incident. */
  active: number;
  /** Trouble back within this time of a repair is that repair's failure. */
  repair: number;
  /** An alert that still fires this long after its incident was resolved reopens it. */
  cool_down: number;
  /** What only a person can repair, and still fires this long after it was told, is told again. */
  watch: number;
  /** An incident of which nothing has been heard for this long is over. */
  ttl: number;
  /** A resolved incident is closed after this time. */
  close_after: number;
  escalation: Escalation;
  flapping: Flapping;
};

/** What the new alerts of one fingerprint came to. */
export type Convergence = {
  incident: IncidentRow;
  kind: "opened" | "converged" | "reopened";
  /** Reopened within the repair window of a repair: it did not hold. */
  repair_failed: boolean;
  /** Converged with a higher severity than the incident had, or as trouble where it was information. */
  raised: boolean;
  /** It was information until now: what begins as trouble begins here. */
  becomes_trouble: boolean;
  /** It has come so often that treating it again is no answer, and this was not said of it before. */
  needs_permanent_fix: boolean;
  alerts: StoredAlert[];
};

/** What resolved an incident: a repair of ours, the sender's own notice, a person, or that nothing more was heard. */
export type ResolvedThrough = "repair" | "notice" | "person" | "silence";
