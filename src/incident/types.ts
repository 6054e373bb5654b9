import type { OperationTarget } from "../contract/incident.ts";
import type { incidents } from "../db/schema.ts";
import type { StoredAlert } from "../intake/index.ts";

export type IncidentRow = Omit<typeof incidents.$inferSelect, "operation_target"> & {
  operation_target: OperationTarget | null;
};

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
};

/** What the new alerts of one fingerprint came to. */
export type Convergence = {
  incident: IncidentRow;
  kind: "opened" | "converged" | "reopened";
  /** Reopened within the repair window of a repair: it did not hold. */
  repair_failed: boolean;
  /** Converged with a higher severity than the incident had, or as trouble where it was information. */
  raised: boolean;
  alerts: StoredAlert[];
};

/** What resolved an incident: a repair of ours, the sender's own notice, or a person. */
export type ResolvedThrough = "repair" | "notice" | "person";
