import type { Risk } from "../contract/common.ts";
import type { PolicyVerdict } from "../contract/decision.ts";
import type { Investigation } from "../contract/evidence.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { decisions } from "../db/schema.ts";
import type { Operation } from "../operation/index.ts";

/** What should be done, as it is stored with its decision. */
type StoredProposal = {
  action: string;
  operation: Operation;
  /** What is done after it, in order. */
  further?: Operation[];
  playbook_id?: string;
  playbook_hash?: string;
  description: string;
  risk_level: Risk;
  reasoning: string;
};

export type DecisionRow = Omit<typeof decisions.$inferSelect, "proposal" | "policy"> & {
  proposal: StoredProposal;
  policy: PolicyVerdict;
};

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
