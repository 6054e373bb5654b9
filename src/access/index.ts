export { authenticate } from "./authenticate.ts";
export { type Admission, authorise, hasRole } from "./authorise.ts";
export { findPersonByName, isSystemName, mustBeOwnName, nameProblem, personKey } from "./names.ts";
export { type Standing, standingOf, type Tenure, tenuresOf } from "./standing.ts";
export { createToken, ensureAdmin, listTokens, personOfToken, revokeToken } from "./tokens.ts";
export type { Token } from "./types.ts";
