export type { Observer, PerformedAction, VerificationTerms } from "./types.ts";
export { look, verify } from "./verify.ts";
