import type { BlastRadius } from "../contract/approval.ts";
import type { Risk } from "../contract/common.ts";
import type { approvals, signatures } from "../db/schema.ts";
import type { Plan } from "../operation/index.ts";

export type ApprovalRow = Omit<typeof approvals.$inferSelect, "plan" | "blast_radius"> & {
  plan: Plan;
  blast_radius: BlastRadius;
};

export type Signature = typeof signatures.$inferSelect;

export type ApprovalTerms = {
  /** The name of this installation: plans contain it, and other installations refuse them. */
  project: string;
  /** Number of distinct people who must sign, by risk. */
  required_signatures: Record<Risk, number>;
  /** Seconds for gathering evidence; after that the card is shown with what there is. */
  prepare: number;
  /** Seconds for which a card can be signed. */
  expires_after: number;
  /** Seconds after the last signature for which the approval is valid. */
  authority: number;
};
