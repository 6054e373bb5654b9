export { type About, answer, saysTheSame } from "./answer.ts";
export { type DecideOptions, decide, decideUndo } from "./decide.ts";
export { getEvidence, keepEvidence } from "./evidence.ts";
export { forgetDecisions } from "./forget.ts";
export { asksFirst, judge, type Mode, type PolicyFacts } from "./policy.ts";
export { getDecision, presentDecision, shownState } from "./read.ts";
export { fittingRules, loadRules, type Proposal, parseRules, propose, type Rules } from "./rules.ts";
export { latestDecisions, readyDecision, readyForgotten, withdrawDecisions } from "./store.ts";
export type { DecisionRow, Investigator, StoredProposal } from "./types.ts";
