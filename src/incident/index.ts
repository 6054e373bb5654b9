export { converge, isActive, notifyBegun, SERVICES, worseSeverity } from "./converge.ts";
export {
  correlate,
  DEFAULT_TERMS,
  type Group,
  NO_TOPOLOGY,
  parseTopology,
  probableCause,
  relate,
  type Symptom,
  type Topology,
} from "./correlation/index.ts";
export { countEnds, endByNotice, endFlapping } from "./flap.ts";
export { countOldIncidents, forgetIncidents } from "./forget.ts";
export { frequencies } from "./frequency/count.ts";
export { rewriteIncidentKeys } from "./keys/rewrite.ts";
export { forgetLesson, listLessons, storeLesson } from "./linking/lessons.ts";
export {
  admitMerging,
  linkIncidents,
  mergeIncidents,
  raiseMain,
  release,
} from "./linking/merge.ts";
export { type Member, pairKey, planCorrelation } from "./linking/plan.ts";
export {
  activeSince,
  type Candidate,
  effectsOf,
  endLink,
  lessonsAmong,
  lockIncidents,
  shownEffects,
  shownLinks,
} from "./linking/store.ts";
export { loadTopology } from "./linking/topology-file.ts";
export type { CorrelationOptions, LessonRow, Merge } from "./linking/types.ts";
export { setMitigating } from "./mitigate.ts";
export { hostNamed, type KnownTargets, operationTarget } from "./operation-target.ts";
export { getIncident, listIncidents } from "./read.ts";
export {
  concludeResolution,
  latestResolutions,
  openResolutions,
} from "./resolution/store.ts";
export { mayBeSame, touchedBy, touchSame, workloadNamesOf } from "./same-target.ts";
export { setTarget } from "./set-target.ts";
export {
  flappingBefore,
  incidentsById,
  keepIncident,
  lockFingerprints,
  lockIncident,
  resolvedBefore,
} from "./store.ts";
export { note, operationLog, timelineOf } from "./timeline.ts";
export type { Convergence, IncidentRow, IncidentWindows, ResolvedThrough } from "./types.ts";
export { acknowledge } from "./verbs/acknowledge.ts";
export { assign } from "./verbs/assign.ts";
export { close } from "./verbs/close.ts";
export { comment } from "./verbs/comment.ts";
export { giveFeedback } from "./verbs/feedback.ts";
export { isReopenedByHand, reopen } from "./verbs/reopen.ts";
export { resolve } from "./verbs/resolve.ts";
