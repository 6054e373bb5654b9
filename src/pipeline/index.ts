export { IntakeWorker } from "./intake-worker.ts";
export { processReceipts } from "./receive.ts";
export { sweep } from "./sweep.ts";
export type { Journey, Received } from "./types.ts";
export { startWorkflows, stopWorkflows } from "./workflows.ts";
