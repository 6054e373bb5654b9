import { z } from "zod";

/** Where an execution stands. */
export const executionStatus = z.enum(["pending", "running", "verifying", "success", "failed", "refused"]);
export type ExecutionStatus = z.infer<typeof executionStatus>;
