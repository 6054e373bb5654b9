export { record } from "./record.ts";
export { entriesAfter, entriesBefore } from "./store.ts";
export type { AuditEntry, AuditReport } from "./types.ts";
export { verifyChain } from "./verify.ts";
