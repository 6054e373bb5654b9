export { approvePlaybook } from "./approve.ts";
export { approverLapse } from "./approver.ts";
export { deprecatePlaybook } from "./deprecate.ts";
export { parsePlaybooks, readPlaybooks, writePlaybooks } from "./document.ts";
export { hashOf } from "./hash.ts";
export { importPlaybooks } from "./import.ts";
export { type Match, meetsSuccessRate, successRate } from "./match.ts";
export { approvedByPerson, getPlaybook, listPlaybooks, matchPlaybook, presentPlaybook } from "./read.ts";
export { recordRun, recordRunNotHeld } from "./record-run.ts";

export { riskOf } from "./steps.ts";
export { findPlaybook } from "./store.ts";

export type { MatchTerms, PlaybookRow } from "./types.ts";
