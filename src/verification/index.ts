export type { Observer, VerificationTerms } from "./types.ts";
export { compare, look, verify } from "./verify.ts";
