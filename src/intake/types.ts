import type { Severity } from "../contract/common.ts";
import type { SilencedBy } from "../contract/silence.ts";

/** The raw body of one webhook call as it was journalled; `seq` is its place in the journal. */
export type Receipt = {
  seq: number;
  source: string;
  sender: string;
  body: Buffer;
  /** When the call came; of one with an `idempotency_key`, when the first call with that key came. */
  received_at: Date;
  /** The sender's `Idempotency-Key`, which it sends again when it repeats the call. */
  idempotency_key?: string | null;
  /** How often it was replayed from the dead letters; 0 when missing. */
  replays?: number;
  /** Its name in the signal stream, which keeps it from being journalled twice. */
  stream_id?: string | null;
};

/** One notice as a source adapter decodes it, before it is normalised. */
export type SourceAlert = {
  status: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** null: the source gave none, or one that cannot be read. */
  starts_at: Date | null;
  ends_at: Date | null;
  /**
   * Set for senders that repeat firing alerts and may send no end. The alert fires until this time and is then resolved, whatever
   * `status` says; null: the default of the installation applies.
   */
  holds_until?: Date | null;
  /** The source's own identity of the alert; null: made from its labels. */
  source_fingerprint: string | null;
  /** The sender's organisation (tenant), where the body names one: two of them may use the same fingerprint. */
  organisation?: string;
  generator_url: string | null;
  /** What the body itself says; where it does not, these are derived from the labels and from the source that was called. */
  source?: string;
  alert_type?: string;
  target_resource?: string;
  /** The convergence key's workload, where the source has grouped alerts already; otherwise the subject's workload is used. */
  workload?: string;
  /** Index in the body, from 0; the same however much of the body is decoded. */
  position?: number;
  /** The alert's query expression, where the source gives it elsewhere than in the link. */
  expr?: string;
  /** Whether part of what its sender sent was not read. */
  incomplete?: boolean;
};

/**
 * A decoded body. `truncated` is how many alerts the sender left out; `rejected` gives the reasons for entries that could not be
 * decoded: such a body is a dead letter, and its other alerts count all the same. `acknowledged` are fingerprints of alerts
 * without a start whose sender says that a person works on them; `external_url` is the sender's own address, which tells two
 * senders behind one network address apart.
 */
export type Decoded =
  | {
      ok: true;
      alerts: SourceAlert[];
      truncated: number;
      rejected: string[];
      acknowledged?: string[];
      external_url?: string;
    }
  | { ok: false; reason: string };

/** A normalised alert, not stored yet. */
export type NormalisedAlert = {
  /** Names the alert across its outages: hash of adapter, organisation, and the sender's own fingerprint. */
  identity: string;
  /** The identity; for an alert `of_call` a key of the call that brought it. */
  instance_key: string;
  /** The adapter that decoded it; `source` may be what the body says. */
  adapter: string;
  organisation: string;
  source: string;
  source_fingerprint: string;
  /** Convergence key: alerts with the same fingerprint join one incident. */
  fingerprint: string;
  /** Learning key: names the same trouble across incidents. */
  anomaly_key: string;
  status: "firing" | "resolved";
  alert_name: string;
  alert_type: string;
  severity: Severity | null;
  alert_category: string;
  notification_type: string;
  cluster: string;
  namespace: string;
  target_resource: string;
  message: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  starts_at: Date;
  /** False: `starts_at` is the time of receipt, or that given by a sender that repeats its alerts. */
  start_known: boolean;
  /** Whether each call is an instance of its own: the alert has no start and its source counts calls. */
  of_call: boolean;
  ends_at: Date | null;
  /** Its sender repeats it while it fires: it is one instance until it ends, whichever sender reports it. */
  repeated?: true;
  /** It ends at this time unless it is repeated before. */
  holds_until?: Date | null;
  generator_url: string | null;
  /** Texts that may keep it from being repaired automatically: see `restrictionsOf`. */
  narrows: string[];
  /** A heartbeat: recorded, and makes no incident. */
  heartbeat: boolean;
  /** Progress of a pipeline: recorded, reported to people in one line, and makes no incident. */
  progress: boolean;
};

/** The sender and time of a notice, by which notices are ordered. */
export type NoticeOrigin = {
  /** Hash of the sender's credential or address, and of the external URL that the body names. */
  sender: string;
  /** Its position among all notices, as text that sorts: see `noticePlace`. */
  place: string;
  received_at: Date;
  /** Whether its receipt was a dead letter before. */
  replayed: boolean;
};

/** A notice about an alert, sent `times` in a row with no other between. */
export type AlertNotice = NormalisedAlert &
  NoticeOrigin & {
    times: number;
    /** For a firing notice that was repeated: the place of the last repetition. */
    said_last?: string;
    /** Number of outages that began and ended shortly before it and are only counted. */
    folded?: number;
  };

/** A stored alert, with what its latest delivery changed. */
export type StoredAlert = Omit<NormalisedAlert, "identity" | "instance_key" | "adapter" | "organisation"> & {
  alert_id: string;
  incident_id: string | null;
  /** Whether this outage is new. */
  is_new: boolean;
  /** False for an outage that is inserted only once its incident is known. */
  is_stored?: boolean;
  /** For a new outage: how many more began and ended just before it, which have no rows of their own. */
  folded?: number;
  /** Id of another source's outage that this one repeats: it is counted with that one. */
  same_as?: string | null;
  /** The silences, maintenance windows or inhibiting alerts that keep it silent. */
  silenced_by?: SilencedBy[] | null;
  /** Whether it is held and not an outage yet, since another sender reported the end. */
  held?: boolean;
};
