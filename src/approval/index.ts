export { approve } from "./approve.ts";
export { approveByPolicy } from "./approve-by-policy.ts";
export { beginApproval } from "./begin.ts";
export { expireApproval, supersedeApproval } from "./expire.ts";
export { forgetApprovals } from "./forget.ts";
export { counting, type JudgedSignature, judgedSignatures } from "./judged.ts";
export { foundOf, LATE, presentApproval, withdrawApproval } from "./present.ts";
export { countSigners } from "./quorum.ts";
export { getApproval, listApprovals, presentRow } from "./read.ts";
export { reject } from "./reject.ts";
export { replanApproval, requestApproval } from "./request.ts";
export {
  type ApprovalKey,
  approvalKeys,
  findApproval,
  latestApprovals,
  lockApproval,
  lockOpenApproval as openApprovalOf,
  overdueApprovals,
  withStandingPlan,
} from "./store.ts";
export { signedFor, supersedeForMerge } from "./supersede-for-merge.ts";
export type { ApprovalRow, ApprovalTerms } from "./types.ts";
