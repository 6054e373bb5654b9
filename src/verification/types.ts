import type { Observation } from "../contract/execution.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Operation } from "../operation/index.ts";

/** What was done to a target: what is looked for depends on it. `before` is the executor's snapshot. */
export type PerformedAction = { operation: Operation; before: Record<string, unknown> };

/** The port of whatever looks at systems. Changes nothing; what it throws counts as "cannot be told". */
export type Observer = {
  id: string;
  /** The gateway's name of what it looks with, which an operator may disable. */
  tool?: string;
  observes(target: OperationTarget): boolean;
  /** Without a deed: whether the target is well as it is. */
  observe(target: OperationTarget, now: Date, deed?: PerformedAction): Promise<Observation>;
};

export type VerificationTerms = {
  /** Seconds between the act and the first look. */
  wait: number;
  /** Seconds for which it is looked at, until it is found healthy. */
  collect: number;
  /** Seconds between two looks. */
  interval: number;
  /** Looks in a row that must find it healthy: one lucky answer is no recovery. */
  healthy_in_a_row: number;
  /** Seconds for one look; what takes longer cannot be told. */
  look_timeout: number;
};
