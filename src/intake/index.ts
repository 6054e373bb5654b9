export { affectedServices } from "./affected-services.ts";
export { type AcceptedAlert, acceptedAlerts, logAccepted } from "./alert-log/log.ts";
export { decodeAlertmanager } from "./alertmanager-shape.ts";
export { programFrom, type SenderRequest, sameSecret, senderAddress, senderCheck } from "./check-sender.ts";
export { claimCall } from "./claim-call.ts";
export { type Classification, loadClassification } from "./classification.ts";
export { classify, matchingRules } from "./classify.ts";
export { getDeadLetter, listDeadLetters } from "./dead-letter/read.ts";
export { replay } from "./dead-letter/replay.ts";
export { deadLetterCounts } from "./dead-letter/store.ts";
export { type DecodeSteps, decodeInSteps } from "./decode-steps.ts";
export { type FiringAlert, firingAlerts } from "./firing/list.ts";
export {
  endLapsed,
  firingOfResolved,
  labelsOfIncidents,
  lapsedAlerts,
  processedUntil,
} from "./firing/store.ts";
export { countOldIntake, forgetIntake, type IntakeRecords } from "./forget.ts";
export { decodeEach, genericAlert } from "./generic-form.ts";
export { detectMissingHeartbeats } from "./heartbeat/detect-missing.ts";
export { expectedHeartbeat } from "./heartbeat/expected.ts";
export { forgetHeartbeat, listHeartbeats } from "./heartbeat/read.ts";
export { recordHeartbeats } from "./heartbeat/record.ts";
export type { HeartbeatTerms } from "./heartbeat/types.ts";
export { Journal } from "./journal.ts";
export { journalOwn, type OwnAlert, ownSource } from "./journal-own.ts";
export { KEY_VERSION } from "./keys.ts";
export { alertsOf, presentAlert } from "./list-alerts.ts";
export {
  alertIdentity,
  callOf,
  formerKeys,
  KNOWN_ALERT_TYPES,
  normalise,
  severityWord,
} from "./normalise.ts";
export { beginEnding, type EndingCalls, endPage, withManyOpenCalls } from "./open-calls/end.ts";
export { noticePlace, senderOf } from "./outage/decide.ts";
export { noticeBatches } from "./outage/notice-batches.ts";
export { type OutageNotice, recordOutages, withoutFormer } from "./outage/record-outages.ts";
export { beginHeld, dueHeld, insertOutages } from "./outage/store.ts";
export { LIMITS_BEFORE_ANSWER, limitsFor, type ReadBody, readBody } from "./read-body.ts";
export { allowsRepair, parseRestrictions } from "./repair-restrictions.ts";
export { rewriteAlertKeys } from "./rewrite-keys.ts";
export { senderChecks } from "./sender-checks.ts";
export { foldSeverity, type SaidSeverity, saidSeverity } from "./severity.ts";
export { bringEntries, bringReceipt } from "./signal/bring.ts";
export { debounce } from "./signal/debounce.ts";
export { entryOf } from "./signal/entry.ts";
export { signalIdentity } from "./signal/identity.ts";
export type { NamedReceipt } from "./signal/store.ts";
export type { SignalEntry, SignalStream, StreamFigures, StreamState } from "./signal/stream.ts";
export type {
  Endpoint,
  SenderCheck,
  SenderChecks,
  SentRequest,
  Source,
  SourceKind,
} from "./source.ts";
export { ACCEPTED, CallCounts, DEAD } from "./source-limits/call-counts.ts";
export { type CountedCall, SMALL_BODY, SourceLimiter } from "./source-limits/limiter.ts";
export { LIMITS, SourceLimited, type SourceLimits } from "./source-limits/limits.ts";
export { lastParsed, listRefusedCalls, type SourceCalls, sourceCalls } from "./source-limits/read.ts";
export { deadLetterStock } from "./source-limits/store.ts";
export {
  alertNamesOf,
  assignAlerts,
  boundStatements,
  finishReceipts,
  firingIncidents,
  firingLabelsOf,
  incidentsOfFiring,
  incrementTries,
  instancesSince,
  type ReportedFacts,
  saidOfIncidents,
  setSilencedBy,
  silenceFiringOf,
  unprocessedReceipts,
  waitingReceipts,
  waitingSummary,
} from "./store.ts";
export {
  namesSubject,
  type Subject,
  subjectOf,
  subjectOfAlert,
  tellingLabels,
} from "./subject.ts";
export { topLevelText } from "./top-level-text.ts";
export type {
  AlertNotice,
  Decoded,
  NormalisedAlert,
  Receipt,
  SourceAlert,
  StoredAlert,
} from "./types.ts";
export {
  exporterNamed,
  ownerOfPod,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
  workloadOfReplicaSet,
} from "./vocabulary.ts";
