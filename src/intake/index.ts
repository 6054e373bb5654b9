export { type AcceptedAlert, acceptedAlerts, logAccepted } from "./alert-log/log.ts";
export { getDeadLetter, listDeadLetters } from "./dead-letter/read.ts";
export { replay } from "./dead-letter/replay.ts";
export { deadLetterCounts } from "./dead-letter/store.ts";
export { type FiringAlert, firingAlerts } from "./firing/list.ts";
export {
  endLapsed,
  firingOfResolved,
  labelsOfIncidents,
  lapsedAlerts,
  processedUntil,
} from "./firing/store.ts";
export { countOldIntake, forgetIntake, type IntakeRecords } from "./forget.ts";
export { detectMissingHeartbeats } from "./heartbeat/detect-missing.ts";
export { expectedHeartbeat } from "./heartbeat/expected.ts";
export { forgetHeartbeat, listHeartbeats } from "./heartbeat/read.ts";
export { recordHeartbeats } from "./heartbeat/record.ts";
export type { HeartbeatTerms } from "./heartbeat/types.ts";
export { claimCall } from "./journal/claim-call.ts";
export { Journal } from "./journal/journal.ts";
export { journalOwn, type OwnAlert, ownSource } from "./journal/journal-own.ts";
export { LIMITS_BEFORE_ANSWER, limitsFor, type ReadBody, readBody } from "./journal/read-body.ts";
export { alertsOf, presentAlert } from "./list-alerts.ts";
export { affectedServices } from "./normalise/affected-services.ts";
export { decodeAlertmanager } from "./normalise/alertmanager-shape.ts";
export { type Classification, loadClassification } from "./normalise/classification.ts";
export { classify, matchingRules } from "./normalise/classify.ts";
export { type DecodeSteps, decodeInSteps } from "./normalise/decode-steps.ts";
export { decodeEach, genericAlert } from "./normalise/generic-form.ts";
export { KEY_VERSION } from "./normalise/keys.ts";
export {
  alertIdentity,
  callOf,
  formerKeys,
  KNOWN_ALERT_TYPES,
  normalise,
  severityWord,
} from "./normalise/normalise.ts";
export { allowsRepair, parseRestrictions } from "./normalise/repair-restrictions.ts";
export { rewriteAlertKeys } from "./normalise/rewrite-keys.ts";
export { foldSeverity, type SaidSeverity, saidSeverity } from "./normalise/severity.ts";
export {
  namesSubject,
  type Subject,
  subjectOf,
  subjectOfAlert,
  tellingLabels,
} from "./normalise/subject.ts";
export { topLevelText } from "./normalise/top-level-text.ts";
export {
  exporterNamed,
  ownerOfPod,
  VOCABULARY,
  workloadOfJob,
  workloadOfPod,
  workloadOfReplicaSet,
} from "./normalise/vocabulary.ts";
export { beginEnding, type EndingCalls, endPage, withManyOpenCalls } from "./open-calls/end.ts";
export { noticePlace, senderOf } from "./outage/decide.ts";
export { noticeBatches } from "./outage/notice-batches.ts";
export { type OutageNotice, recordOutages, withoutFormer } from "./outage/record-outages.ts";
export { beginHeld, dueHeld, insertOutages } from "./outage/store.ts";
export {
  programFrom,
  type SenderRequest,
  sameSecret,
  senderAddress,
  senderCheck,
} from "./sender/check-sender.ts";
export { senderChecks } from "./sender/sender-checks.ts";
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
export type {
  AlertNotice,
  Decoded,
  NormalisedAlert,
  Receipt,
  SourceAlert,
  StoredAlert,
} from "./types.ts";
