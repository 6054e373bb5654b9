export type { Deed, Observer, VerificationTerms } from "./types.ts";
export { look, verify } from "./verify.ts";
