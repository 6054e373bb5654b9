import type { correlation_lessons } from "../../db/schema.ts";
import type { Topology } from "../correlation/index.ts";

export type LessonRow = typeof correlation_lessons.$inferSelect;

/** One incident that becomes an effect of another. */
export type Merge = {
  effect_id: string;
  main_id: string;
  /** In words, for people. */
  reasons: string[];
  /** Why the main one is the cause; null where it is only the one that was there first. */
  cause_reason: string | null;
};

/** Two incidents that hang together, each going its own way. */
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
  /** Of the main incident, beyond those that are shown too. */
  count: number;
};

/** How incidents are related by themselves. */
export type CorrelationOptions = {
  enabled: boolean;
  /** False: they are linked and never merged. */
  merge: boolean;
  /** Seconds: what begins within this time of each other may be the same trouble. */
  window: number;
  /** Seconds after the end of a main incident at which an effect that still fires is one of its own. */
  release_after: number;
  topology: Topology;
};
