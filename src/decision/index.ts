export { type AutoTerms, blockDecision, mayAutoRepair } from "./auto-repair-policy.ts";
export { type DecideOptions, decide, decideAgain, decideUndo } from "./decide.ts";
export { forgetDecisions } from "./forget.ts";

export { evaluatePolicy, type Mode, needsApproval } from "./policy.ts";
export { getDecision, presentDecision, shownState } from "./read.ts";
export { recordRepairLabels } from "./repair-label.ts";
export { fittingRules, loadRules, propose, type Rules } from "./rules.ts";
export { loadServiceRegistry, type ServiceRegistry } from "./service-registry.ts";
export { latestDecisions, readyDecision, readyForgotten, withdrawDecisions } from "./store.ts";
export type { DecisionRow } from "./types.ts";
