export { type Plan, plan, planHash } from "./plan.ts";
export { byHand, changesSomething, inWords, traitsOf } from "./traits.ts";
export { type Operation, type OperationKind, operation, type Scope, type Traits } from "./types.ts";
