export { IntakeWorker } from "./intake-worker.ts";
export { processReceipts } from "./receive.ts";
export { type Counts, countPrunable, type Pace, prune, type RetentionTerms } from "./retention.ts";
export { SignalWorker } from "./signal-worker.ts";
export { sweep } from "./sweep.ts";
export { signalTaker } from "./take-signal.ts";
export type { Journey, Received } from "./types.ts";
export { prepareWorkflows, startWorkflows, stopWorkflows } from "./workflows.ts";
