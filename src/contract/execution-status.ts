import { z } from "zod";

/** The status of an execution. */
export const executionStatus = z.enum(["pending", "running", "verifying", "success", "failed", "refused"]);
export type ExecutionStatus = z.infer<typeof executionStatus>;
