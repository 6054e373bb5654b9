export { inWords } from "./describe.ts";
export { manualCommand } from "./manual-command.ts";
export { composeProject, containerName, hostName, unitName } from "./names.ts";
export { MAX_TEXT, type Parsed, parseOperation } from "./parse.ts";
export { type Plan, plan, planHash, projectName, stepsInWords, stepsOf, withStep } from "./plan.ts";
export { redactedOperation } from "./redacted.ts";
export { redactedPlan } from "./redacted-plan.ts";
export { toolName, toolServerName } from "./tool.ts";
export { changesSomething, OPERATION_KINDS, toolOf, traitsOf } from "./traits.ts";
export {
  type Operation,
  type OperationKind,
  operation,
  type Scope,
  type Traits,
} from "./types.ts";
