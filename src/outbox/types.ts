/**
 * A message to people. `topic` selects the card; the notification room knows how each card looks and which
 * may be left out.
 */
export type Notice = {
  topic:
    | "incident.opened"
    | "incident.raised"
    /** Evidence was gathered without a plan being prepared. */
    | "incident.diagnosed"
    | "incident.reopened"
    | "incident.reminder"
    | "incident.resolved"
    /** The incident begins and ends again and again: its single beginnings and ends are no longer announced. */
    | "incident.flapping"
    | "incident.merged"
    | "incident.released"
    | "approval.pending"
    /** The plan runs on the authority of policy: people are informed, no signature is needed. */
    | "approval.automatic"
    | "approval.rejected"
    | "approval.expired"
    | "execution.started"
    | "execution.finished"
    /** A freeze of all changes began or ended; `payload` holds everything that the card shows. */
    | "execution.frozen"
    | "execution.unfrozen"
    /** Progress of a CI/CD pipeline; `payload` holds everything that the card shows. */
    | "pipeline.progress";
  /** null: the notice belongs to no incident. */
  incident_id: string | null;
  payload: Record<string, unknown>;
};

/** Work of the pipeline that has to wait, and therefore runs as a durable workflow. */
export type QueuedWork =
  /** Gather evidence about an incident's target when no plan is being prepared. */
  | { kind: "investigate"; incident_id: string; token: string }
  /** Gather evidence for an approval, including its dry-run, and submit it to people. */
  | { kind: "prepare"; incident_id: string; approval_id: string }
  /**
   * Execute an approved plan up to the next wait, then enqueue the rest as a later turn; a turn that was overtaken
   * does nothing. `attempt`: the attempt to make next, after the wait before a retry.
   */
  | { kind: "execute"; incident_id: string; approval_id: string; turn?: number; attempt?: number }
  /** Verify whether an execution helped, and record the result. */
  | { kind: "verify"; incident_id: string; approval_id: string; execution_id: string; turn: number }
  /** Record how an incident was resolved. `resolution` counts its resolutions, from 1. */
  | {
      kind: "conclude";
      incident_id: string;
      resolution: number;
      through: "repair" | "notice" | "person" | "silence";
      resolved_by: string;
      /** RFC 3339. */
      resolved_at: string;
      execution_id: string | null;
    };
