export type { Observer, PerformedAction, VerificationTerms } from "./types.ts";
export { observeTarget, verify } from "./verify.ts";
