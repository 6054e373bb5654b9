export { IntakeWorker } from "./intake-worker.ts";
export { firingIn, foresee, processReceipts } from "./receive.ts";
export { type Counts, countPrunable, type Pace, prune, type RetentionTerms } from "./retention.ts";
export { sweep } from "./sweep.ts";
export type { Journey, Received } from "./types.ts";
export { prepareWorkflows, startWorkflows, stopWorkflows } from "./workflows.ts";
