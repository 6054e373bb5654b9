export { isActedOn, isRepairedSince, latestActsOn } from "./acts/store.ts";
export { admitUnplanned, refuseExecution, waitForStartingActs } from "./admit.ts";
export { attemptExecution } from "./attempt.ts";
export { authoriseObservation, isOffered, type StopTerms, whatStopsAll } from "./authorise.ts";
export { beginExecution, storeSnapshot } from "./begin.ts";
export { automaticStop } from "./breakers.ts";

export { concludeExecution } from "./conclude.ts";
export { configurationHash } from "./configuration-hash.ts";
export { endStep } from "./end-step.ts";
export { forgetExecutions } from "./forget.ts";
export type { FreezeTerms } from "./freeze/active-freeze.ts";
export { freeze } from "./freeze/freeze.ts";
export { freezeWindow } from "./freeze/settings.ts";
export { freezeStatus } from "./freeze/status.ts";
export { unfreeze } from "./freeze/unfreeze.ts";
export { admitObservation } from "./gateway.ts";
export { prepareExecution, takeSnapshot } from "./prepare.ts";
export { type PlanPreparation, preparePlan } from "./prepare-plan.ts";
export { getExecution, listExecutions, presentExecution } from "./read.ts";
export { REFUSALS, type Refusal } from "./refusals.ts";
export { mayActNow, type NextWork, requeue, requeueLost } from "./requeue.ts";
export {
  executionStatuses,
  executionsOfApprovals,
  executionsUnderWay,
  findExecution,
  incidentsInExecution,
  overdueExecutions,
} from "./store.ts";
export { listTools } from "./tools.ts";
export { traitsFor } from "./traits.ts";
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
export { markUndone, mayUndo } from "./undo.ts";
