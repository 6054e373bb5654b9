export { authenticate } from "./authenticate.ts";
export { type Admission, authorise, hasRole } from "./authorise.ts";
export { createToken, ensureAdmin, listTokens, personKey, revokeToken } from "./tokens.ts";
export type { Token } from "./types.ts";
