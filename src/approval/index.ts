export { approve } from "./approve.ts";
export { approveByPolicy } from "./approve-by-policy.ts";
export { beginApproval } from "./begin.ts";
export { expireApproval, supersedeApproval } from "./expire.ts";
export { forgetApprovals } from "./forget.ts";
export { EVIDENCE_LATE, preparedFor, publishApproval, withdrawApproval } from "./publish-plan.ts";
export { countSigners } from "./quorum.ts";
export { getApproval, listApprovals, presentRow } from "./read.ts";
export { reject } from "./reject.ts";
export { replanApproval, requestApproval } from "./request.ts";
export { type ValidatedSignature, validateSignatures, validSignatures } from "./signature-validity.ts";
export {
  type ApprovalKey,
  approvalKeys,
  findApproval,
  latestApprovals,
  lockApproval,
  lockOpenApproval as openApprovalOf,
  overdueApprovals,
  pendingApprovals,
  withStandingPlan,
} from "./store.ts";
export { incidentsWithSignature, supersedeForMerge } from "./supersede-for-merge.ts";
export type { ApprovalRow, ApprovalTerms } from "./types.ts";
