import type { LabelTest } from "../../lib/matchers.ts";
import type { NormalisedAlert } from "../types.ts";

/** A sign of life that must come: `fits` says which alerts are one. `interval` in seconds. */
export type ExpectedHeartbeat = {
  name: string;
  source: string | null;
  fits: (alert: Pick<NormalisedAlert, "source" | "labels" | "heartbeat">) => boolean;
  interval: number;
  severity: string;
};

export type HeartbeatTerms = {
  /** Seconds of silence that mean nothing yet, of one that nobody has named. */
  interval: number;
  expected: readonly ExpectedHeartbeat[];
};

/** What the configuration says of one; `matches` is null where any heartbeat will do. */
export type ExpectedSettings = Omit<ExpectedHeartbeat, "fits"> & { matches: LabelTest | null };

/** One that silence is waited for, as it stands. */
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
