import type { Risk } from "../contract/common.ts";
import type { PolicyVerdict } from "../contract/decision.ts";
import type { decisions } from "../db/schema.ts";
import type { Operation } from "../operation/index.ts";

/** What should be done, as stored with its decision. */
type StoredProposal = {
  action: string;
  operation: Operation;
  /** Operations after the first, in order. */
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
