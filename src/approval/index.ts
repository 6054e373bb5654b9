export { type ApproveInput, approve } from "./approve.ts";
export { expireApproval, supersedeApproval } from "./expire.ts";
export { presentApproval, withdrawApproval } from "./present.ts";
export { countSigners, signerRole } from "./quorum.ts";
export { getApproval, listApprovals, presentRow, shownStatus } from "./read.ts";
export { reject } from "./reject.ts";
export { requestApproval } from "./request.ts";
export { approvalsOf, overdueApprovals, signaturesOf } from "./store.ts";
export type { ApprovalRow, ApprovalTerms, Signature } from "./types.ts";
