import type { Severity } from "../contract/common.ts";
import type { SilencedBy } from "../contract/silence.ts";

/** The raw body of one webhook call as it was journalled; `seq` is its place in the journal. */
export type Receipt = {
  seq: number;
  source: string;
  sender: string;
  body: Buffer;
  /** Of a call with an `idempotency_key`: when the first with that key came. */
  received_at: Date;
  /** The sender's own name for the call, which it repeats when it calls again. */
  idempotency_key?: string | null;
  /** How often it was taken up again after it had become a dead letter; 0 when missing. */
  replays?: number;
  /** Its name in the signal stream, by which it is journalled once. */
  stream_id?: string | null;
};

/** One notice as a source adapter understands it, before AWOOOI's own terms are applied. */
export type SourceAlert = {
  status: "firing" | "resolved";
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** null: the source gave none, or one that cannot be read. */
  starts_at: Date | null;
  ends_at: Date | null;
  /**
   * Set where the sender repeats what fires and may fall silent when it is over: until when this holds, by
   * then it is resolved, whatever `status` says; null: for as long as the installation has it.
   */
  holds_until?: Date | null;
  /** The source's own identity of the alert; null: made from its labels. */
  source_fingerprint: string | null;
  /** The tenant of the sender that it is of, where the body names one: two of them may use one fingerprint. */
  organisation?: string;
  generator_url: string | null;
  /** What the body itself says of these; where it does not, labels say it, and who was called. */
  source?: string;
  alert_type?: string;
  target_resource?: string;
  /** What it converges by, where the source has grouped already; else what it is about. */
  workload?: string;
  /** Place in the body, from 0; the same however much of the body is understood. */
  position?: number;
  /** The expression that fires it, where the source gives it other than in the link. */
  expr?: string;
  /** Something that its sender said of it was not read. */
  incomplete?: boolean;
};

/**
 * `truncated` is how many alerts the sender left out of the body; `rejected` says of entries that could
 * not be understood why. A body with such entries is a dead letter, its other alerts count all the same.
 * `acknowledged` are the fingerprints of alerts without a start whose sender says that someone is on them;
 * `external_url` is where the sender says that it is found: it tells two behind one address apart.
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

/** An alert in AWOOOI's terms, not stored yet. */
export type NormalisedAlert = {
  /** Names the alert, whatever its outages: adapter, organisation, and the sender's own fingerprint. */
  identity: string;
  /** The identity; of an alert `of_call` what the call began. */
  instance_key: string;
  /** The adapter that understood it; `source` may be what the body says. */
  adapter: string;
  organisation: string;
  source: string;
  source_fingerprint: string;
  /** What it converges by. */
  fingerprint: string;
  /** What is learnt by: the same trouble again. */
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
  /** False: `starts_at` is when we heard of it, or what a sender that repeats itself says. */
  start_known: boolean;
  /** Its instance is that of the call that brought it: without a start, from a source that counts calls. */
  of_call: boolean;
  ends_at: Date | null;
  /** Its sender repeats it while it fires: what it fires is one instance, whoever sends it, until that ends. */
  repeated?: true;
  /** It ends when it is not repeated before. */
  holds_until?: Date | null;
  generator_url: string | null;
  /** What of it may keep it from being repaired by itself: see `narrowsOf`. */
  narrows: string[];
  /** A sign of life: recorded, and no incident. */
  heartbeat: boolean;
  /** How far a pipeline is: recorded, people are told in a line, and no incident. */
  progress: boolean;
};

/** Who sent a notice, and when: what the order of notices is judged by. */
export type NoticeOrigin = {
  /** A hash of credential or address, and of the external address that the body names. */
  sender: string;
  /** Its place among all notices, as text that sorts: see `placeOf`. */
  place: string;
  received_at: Date;
  /** Of a receipt that was a dead letter before. */
  replayed: boolean;
};

/** What was said of an alert, `times` in a row with nothing else between. */
export type AlertNotice = NormalisedAlert &
  NoticeOrigin & {
    times: number;
    /** Of one that was said to fire several times: the place of the last. */
    said_last?: string;
    /** Outages that began and ended before it, close together, and are only counted. */
    folded?: number;
  };

/** A stored alert, with what its latest delivery changed. */
export type StoredAlert = Omit<NormalisedAlert, "identity" | "instance_key" | "adapter" | "organisation"> & {
  alert_id: string;
  incident_id: string | null;
  /** This outage was not known before. */
  is_new: boolean;
  /** False for what is written down only now, once its incident is known. */
  is_stored?: boolean;
  /** Of a new one: how many more there were just before it, which have no rows of their own. */
  folded?: number;
  /** The outage of another source that it tells of once more: it is counted with that. */
  same_as?: string | null;
  /** What keeps it silent. */
  silenced_by?: SilencedBy[] | null;
  /** Not an outage yet: another sender said that it is over. */
  held?: boolean;
};
