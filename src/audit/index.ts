export { record } from "./record.ts";
export { entriesAfter, entriesBefore } from "./store.ts";
export type { AuditEntry } from "./types.ts";
export { verifyChain } from "./verify.ts";
