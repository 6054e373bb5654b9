export type { Deed, Observer, VerificationTerms } from "./types.ts";
export { compare, look, verify } from "./verify.ts";
