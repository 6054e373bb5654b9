import type { Investigation } from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";

/**
 * The port of an adapter that reads facts about systems and interprets them. Changes nothing. What could not be read
 * goes into `missing`; an error thrown counts as nothing known. When `signal` is aborted it returns at once with what
 * it has.
 */
export type Investigator = {
  id: string;
  /** The gateway's name of the tool it reads with, which an operator may disable. */
  tool?: string;
  investigates(target: OperationTarget): boolean;
  /** `labels`: those of the alerts concerned, as their senders wrote them; only hints where to look more closely. */
  investigate(
    target: OperationTarget,
    now: Date,
    signal: AbortSignal,
    labels?: readonly Readonly<Record<string, string>>[],
  ): Promise<Investigation>;
};

/** Why an investigation is not allowed now. */
type LookRefusal = { gate: number; code: string; message: string };

export type EvidenceTerms = {
  /** Seconds for all investigators together: they run concurrently. */
  time: number;
  /**
   * Checks the gateway's gates before each investigator runs: undefined when it may run now. `tool`: the gateway's name of
   * the investigator's tool, where it has one. Injected by the app, as this room may not import the gateway.
   */
  refusal: (tool?: string) => LookRefusal | undefined;
};
