export { affectedServices } from "./affected-services.ts";
export { type Call, type SenderPolicy, senderCheck } from "./check-sender.ts";
export { type Classification, type Classified, classify, loadClassification } from "./classify.ts";
export { Journal, type JournalLimits } from "./journal.ts";
export { journalOwn } from "./journal-own.ts";
export { alertsOf } from "./list-alerts.ts";
export { alertTypeOf, fingerprintOf, normalise, severityOf, targetOf, workloadOfPod } from "./normalise.ts";
export {
  alertNamesOf,
  assignAlerts,
  claimReceipts,
  finishReceipts,
  firingIncidents,
  instancesSince,
  upsertAlerts,
  waitingReceipts,
  waitingSummary,
} from "./store.ts";
export type { Decoded, NormalisedAlert, Receipt, Source, SourceAlert, StoredAlert } from "./types.ts";
