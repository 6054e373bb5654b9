import type { Investigation } from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";

/**
 * The port of whatever reads facts about systems and says what they mean. Changes nothing. What could not be
 * read is said in `missing`; what it throws counts as nothing known. When `signal` is aborted it comes back at
 * once with what it has.
 */
export type Investigator = {
  id: string;
  /** The gateway's name of what it reads with, which an operator may disable. */
  tool?: string;
  investigates(target: OperationTarget): boolean;
  /** `labels`: of the alerts that it is about, as their senders wrote them; they only say where to look more closely. */
  investigate(
    target: OperationTarget,
    now: Date,
    signal: AbortSignal,
    labels?: readonly Readonly<Record<string, string>>[],
  ): Promise<Investigation>;
};

/** Why a look is not allowed now. */
type LookRefusal = { gate: number; code: string; message: string };

export type EvidenceTerms = {
  /** Seconds for all investigators together: they look at the same time. */
  time: number;
  /**
   * The gates of a look, asked before each one: undefined when this may be looked with now. `tool`: the gateway's name of what it
   * is looked with, where it has one. Bound by the app, since the gateway stands below.
   */
  refusal: (tool?: string) => LookRefusal | undefined;
};
