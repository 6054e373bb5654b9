export { Supervision } from "./supervision.ts";
export type { ProcessSupervisor, RunningProcess } from "./types.ts";
