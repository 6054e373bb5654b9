import type { Observation } from "../contract/execution.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Operation } from "../operation/index.ts";

/** The act on a target, which decides what an observer checks. `before` is the executor's snapshot. */
export type PerformedAction = { operation: Operation; before: Record<string, unknown> };

/** The port of an adapter that observes whether targets are well. Changes nothing; an error thrown: not known. */
export type Observer = {
  id: string;
  /** The gateway's name of the tool it reads with, which an operator may disable. */
  tool?: string;
  observes(target: OperationTarget): boolean;
  /** Observes the target; without `deed`, whether it is well as it is. */
  observe(target: OperationTarget, now: Date, deed?: PerformedAction): Promise<Observation>;
};

export type VerificationTerms = {
  /** Seconds between the act and the first observation. */
  wait: number;
  /** Seconds for which the target is observed at most, until it is found healthy. */
  collect: number;
  /** Seconds between two observations. */
  interval: number;
  /** Consecutive observations that must find the target healthy: one lucky answer is no recovery. */
  healthy_in_a_row: number;
  /** Timeout in seconds of one observation; after it the health is not known. */
  look_timeout: number;
};
