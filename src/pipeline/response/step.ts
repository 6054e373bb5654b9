import { DBOS } from "@dbos-inc/dbos-sdk";
import { isUnavailable } from "../../db/failure.ts";

/**
 * A part of a workflow whose result is kept: after a crash the workflow goes on behind it. It may run
 * twice when the crash falls between its end and the keeping, so what it does is safe to do again. While
 * the database is away it is tried until it is back; any other error ends the workflow.
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
