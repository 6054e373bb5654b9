import { DBOS } from "@dbos-inc/dbos-sdk";
import { isUnavailable } from "../../db/failure.ts";

/**
 * Runs a step of a workflow and stores its result: after a crash the workflow resumes behind it. A crash before the result
 * is stored repeats the step, so it must be idempotent. While the database is unavailable the step is retried; any other
 * error ends the workflow.
 */
export function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  return DBOS.runStep(work, {
    name,
    retriesAllowed: true,
    intervalSeconds: 0.5,
    backoffRate: 1,
    maxAttempts: 1_000_000,
    shouldRetry: isUnavailable,
  });
}
