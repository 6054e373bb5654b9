export { authenticate } from "./authenticate.ts";
export { authorise, hasRole } from "./authorise.ts";
export { assertPersonName, findPersonByName } from "./names.ts";
export { type RoleAssignment, roleAssignmentsOf, type SignatureStanding, standingOf } from "./standing.ts";
export { createToken, ensureAdmin, listTokens, personOfToken, revokeToken } from "./tokens.ts";
