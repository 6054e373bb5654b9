/**
 * Something that people are to be told. `topic` says which card: the notification room knows how each
 * looks and what it may leave out.
 */
export type Notice = {
  topic:
    | "incident.opened"
    | "incident.raised"
    /** Facts were read that no plan stands on. */
    | "incident.diagnosed"
    | "incident.reopened"
    | "incident.reminder"
    | "incident.resolved"
    /** It begins and ends again and again: nothing more is told of each time. */
    | "incident.flapping"
    | "incident.merged"
    | "incident.released"
    | "approval.pending"
    /** It runs on the authority of policy: people are told, and not asked. */
    | "approval.automatic"
    | "approval.rejected"
    | "approval.expired"
    | "execution.started"
    | "execution.finished"
    /** All changes are stopped, or no longer; `payload` holds all that is shown. */
    | "execution.frozen"
    | "execution.unfrozen"
    /** How far a pipeline is; `payload` holds all that is shown. */
    | "pipeline.progress";
  /** null: it is of no incident. */
  incident_id: string | null;
  payload: Record<string, unknown>;
};

/** A piece of the journey that waits for something, and so runs as a durable workflow. */
export type Work =
  /** Read facts about what an incident is about, where no plan is being prepared. */
  | { kind: "investigate"; incident_id: string; token: string }
  /** Gather evidence for an approval, the dry-run's included, and put it before people. */
  | { kind: "prepare"; incident_id: string; approval_id: string }
  /**
   * Do what an approval allows, as far as that goes without waiting: what waits is enqueued again as a later turn,
   * and an earlier one does nothing any more. `attempt`: the next one, once its wait is over.
   */
  | { kind: "execute"; incident_id: string; approval_id: string; turn?: number; attempt?: number }
  /** Look whether what was done has helped, and draw the conclusion. */
  | { kind: "verify"; incident_id: string; approval_id: string; execution_id: string; turn: number }
  /** Keep how a resolution of an incident came about. `resolution` counts them, from 1. */
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
