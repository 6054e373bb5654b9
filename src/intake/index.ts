export { affectedServices } from "./affected-services.ts";
export { decodeAlertmanager } from "./alertmanager-shape.ts";
export { type RoutingKeyCheck, routingKeyCheck } from "./check-routing-key.ts";
export { type SecretCheck, type Shown, secretCheck } from "./check-secret.ts";
export { type Call, networkCheck, type SenderPolicy, senderCheck } from "./check-sender.ts";
export {
  OWN_SIGNATURE,
  SENTRY_SIGNATURE,
  type SignatureCheck,
  type SignaturePolicy,
  signatureCheck,
} from "./check-signature.ts";
export { claimCall } from "./claim-call.ts";
export { type Classification, loadClassification, parseClassification } from "./classification.ts";
export { type Classified, type ClassifyInput, classify, matchingRules } from "./classify.ts";
export { getDeadLetter, listDeadLetters } from "./dead-letter/read.ts";
export { replay } from "./dead-letter/replay.ts";
export { deadLetterCounts } from "./dead-letter/store.ts";
export { countOldIntake, forgetIntake, type IntakeRecords } from "./forget.ts";
export { Journal, type JournalLimits } from "./journal.ts";
export { journalOwn } from "./journal-own.ts";
export { alertsOf } from "./list-alerts.ts";
export {
  alertTypeOf,
  callOf,
  fingerprintOf,
  KNOWN_ALERT_TYPES,
  lastingInstance,
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
  incidentsOfFiring,
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
