import type { correlation_lessons } from "../../db/schema.ts";
import type { Topology } from "../correlation/index.ts";

export type LessonRow = typeof correlation_lessons.$inferSelect;

/** A merge of one incident into another. */
export type Merge = {
  effect_id: string;
  main_id: string;
  /** Human-readable. */
  reasons: string[];
  /** Why the main incident is the cause; null where it merely came first. */
  cause_reason: string | null;
};

/** Two related incidents that are not merged. */
export type Link = {
  incident_id: string;
  other_id: string;
  reasons: string[];
  cause_id: string | null;
  cause_reason: string | null;
};

/** An effect as its main incident shows it. */
export type Effect = {
  main_id: string;
  incident_id: string;
  title: string;
  severity: "P0" | "P1" | "P2" | "P3";
  status: "investigating" | "mitigating" | "resolved" | "closed";
  hit_count: number;
  reasons: string[];
  /** Number of all effects of the main incident, not only those shown. */
  count: number;
};

/** Settings of automatic correlation. */
export type CorrelationOptions = {
  enabled: boolean;
  /** False: they are linked and never merged. */
  merge: boolean;
  /** Seconds: what begins within this time of each other may be the same trouble. */
  window: number;
  /** Seconds after the end of a main incident after which an effect that still fires is released. */
  release_after: number;
  topology: Topology;
};
