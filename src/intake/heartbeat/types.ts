import type { LabelTest } from "../../lib/matchers.ts";
import type { NormalisedAlert } from "../types.ts";

/** A heartbeat that must arrive: `fits` says which alerts are one. `interval` is the longest silence allowed, in seconds. */
export type ExpectedHeartbeat = {
  name: string;
  source: string | null;
  fits: (alert: Pick<NormalisedAlert, "source" | "labels" | "heartbeat">) => boolean;
  interval: number;
  severity: string;
};

export type HeartbeatTerms = {
  /** Seconds of silence allowed for a heartbeat that the configuration does not name. */
  interval: number;
  expected: readonly ExpectedHeartbeat[];
};

/** The settings of an expected heartbeat; `matches` is null where any heartbeat will do. */
export type ExpectedSettings = Omit<ExpectedHeartbeat, "fits"> & { matches: LabelTest | null };

/** A watched heartbeat, as it is stored. */
export type Heartbeat = {
  heartbeat_id: string;
  name: string;
  source: string | null;
  expected: boolean;
  severity: string;
  state: "alive" | "missing";
  interval: number;
  watched_since: Date;
  last_heard_at: Date | null;
  missing_since: Date | null;
};
