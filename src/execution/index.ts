export { isActedOn, isRepairedSince, latestActsOn } from "./acts/store.ts";
export { forgetExecutions } from "./forget.ts";
export type { FreezeTerms } from "./freeze/active-freeze.ts";
export { freeze } from "./freeze/freeze.ts";
export { freezeWindow } from "./freeze/settings.ts";
export { freezeStatus } from "./freeze/status.ts";
export { unfreeze } from "./freeze/unfreeze.ts";
export { admitUnplanned, refuseExecution, waitForStartingActs } from "./gate/admit.ts";
export { authoriseObservation, isOffered, type StopTerms, whatStopsAll } from "./gate/authorise.ts";
export { automaticStop } from "./gate/breakers.ts";
export { configurationHash } from "./gate/configuration-hash.ts";
export { admitObservation } from "./gate/gateway.ts";
export { REFUSALS, type Refusal } from "./gate/refusals.ts";
export { listTools } from "./gate/tools.ts";
export { traitsFor } from "./gate/traits.ts";
export { prepareExecution, takeSnapshot } from "./plan/prepare.ts";
export { type PlanPreparation, preparePlan } from "./plan/prepare-plan.ts";
export { markUndone, mayUndo } from "./plan/undo.ts";
export { getExecution, listExecutions, presentExecution } from "./read.ts";
export { attemptExecution } from "./run/attempt.ts";
export { beginExecution, storeSnapshot } from "./run/begin.ts";
export { concludeExecution } from "./run/conclude.ts";
export { endStep } from "./run/end-step.ts";
export { mayActNow, type NextWork, requeue, requeueLost } from "./run/requeue.ts";
export {
  executionStatuses,
  executionsOfApprovals,
  executionsUnderWay,
  findExecution,
  incidentsInExecution,
  overdueExecutions,
} from "./store.ts";
export type {
  ActResult,
  Caller,
  DryRun,
  ExecutionRow,
  Executor,
  Gateway,
  GatewayOptions,
  OwnTraits,
  Resolution,
  Run,
  RunOptions,
  ToolReport,
  Undo,
} from "./types.ts";
