export { affectedServices } from "./affected-services.ts";
export { type Call, networkCheck, type SenderPolicy, senderAddress, senderCheck } from "./check-sender.ts";
export { type SignatureCheck, type SignaturePolicy, signatureCheck } from "./check-signature.ts";
export { claimCall } from "./claim-call.ts";
export { type Classification, loadClassification, parseClassification } from "./classification.ts";
export { type Classified, type ClassifyInput, classify, matchingRules } from "./classify.ts";
export { getDeadLetter, listDeadLetters } from "./dead-letter/read.ts";
export { replay } from "./dead-letter/replay.ts";
export { deadLetterCounts } from "./dead-letter/store.ts";
export { countOldIntake, forgetIntake, type IntakeRecords } from "./forget.ts";
export { ACCEPTED, CallCounts, DEAD } from "./guard/call-counts.ts";
export { type Foreseen, Guard, SMALL_BODY } from "./guard/guard.ts";
export { LIMITS, SourceLimited, type SourceLimits } from "./guard/limits.ts";
export { listRefused, type SourceCalls, sourceCalls } from "./guard/read.ts";
export { deadLetterStock } from "./guard/store.ts";
export { Journal, type JournalLimits } from "./journal.ts";
export { journalOwn } from "./journal-own.ts";
export { alertsOf } from "./list-alerts.ts";
export {
  alertTypeOf,
  callOf,
  fingerprintOf,
  KNOWN_ALERT_TYPES,
  normalise,
  severityOf,
  targetOf,
  workloadOfPod,
} from "./normalise.ts";
export {
  alertNamesOf,
  assignAlerts,
  endInstances,
  endsAll,
  finishReceipts,
  firingIncidents,
  insertAlerts,
  instancesSince,
  retireInstances,
  stillNews,
  stillWaiting,
  touchAlerts,
  waitingReceipts,
  waitingSummary,
} from "./store.ts";
export type {
  Decoded,
  HeardAlert,
  NormalisedAlert,
  Receipt,
  Source,
  SourceAlert,
  SourceDescription,
  StoredAlert,
} from "./types.ts";
