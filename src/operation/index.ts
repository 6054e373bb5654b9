export { blastRadiusInWords } from "./blast-radius.ts";
export type { Scope } from "./kind.ts";
export {
  composeProject,
  containerName,
  hostName,
  toolName,
  toolServerName,
  unitName,
} from "./names.ts";
export {
  changesSomething,
  inWords,
  manualCommand,
  OPERATION_KINDS,
  type Operation,
  type OperationKind,
  operation,
  redactedOperation,
  type Traits,
  toolOf,
  traitsOf,
} from "./operation.ts";
export { MAX_TEXT, type Parsed, parseOperation } from "./parse.ts";
export { type Plan, plan, planHash, projectName, stepsInWords, stepsOf, withStep } from "./plan.ts";
export { redactedPlan } from "./redacted-plan.ts";
