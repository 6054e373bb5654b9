export { Supervision, type SupervisionDeps } from "./supervision.ts";
export type { ProcessSupervisor, RunningProcess, SupervisedProcess } from "./types.ts";
