import pg from "pg";
import { messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { type Connection, createPool } from "./client.ts";
import { isUnavailable } from "./failure.ts";

type Callback = (error: unknown, ...results: unknown[]) => void;

const PASSES = "ECONNRESET";

/** Returns an error of an unavailable database under a code for which the workflow engine waits and retries. */
function passing(error: unknown): unknown {
  if (!isUnavailable(error) || (error as { code?: unknown }).code === PASSES) return error;
  return Object.assign(new Error(messageOf(error), { cause: error }), { code: PASSES });
}

/** Calls `call` and translates its error, in both of pg's styles: callback and promise. */
function translated(call: (...args: unknown[]) => unknown, args: unknown[]): unknown {
  const last = args.at(-1);
  if (typeof last === "function") {
    const told: Callback = (error, ...results) =>
      (last as Callback)(error ? passing(error) : error, ...results);
    return call(...args.slice(0, -1), told);
  }
  const result = call(...args);
  if (!(result instanceof Promise)) return result;
  return result.catch((error: unknown) => {
    throw passing(error);
  });
}

// A workflow that still runs after the pool has ended must stop where it is, as if the process were gone: the next start
// resumes it. For an unavailable database the engine would retry for ever; any other error would end the workflow.
const unanswered = () => new Promise<never>(() => {});

// The engine pauses a workflow while its database is unavailable, which it recognises by a list of its own. An
// error that is not on it (a missing socket, a query timeout, a failing disk) ends the workflow half-way and
// unrecorded, and it is not resumed before the next start.
function translate(target: object, original: pg.Client | pg.Pool): void {
  for (const name of ["connect", "query"] as const) {
    const call = original[name] as (...args: unknown[]) => unknown;
    Object.defineProperty(target, name, {
      value(this: object, ...args: unknown[]) {
        if ("ending" in this && this.ending === true) return unanswered();
        return translated(call.bind(this), args);
      },
    });
  }
}

class WorkflowClient extends pg.Client {}
translate(WorkflowClient.prototype, pg.Client.prototype);

const LIMITS = { max: 10, query_timeout_ms: 30_000, connect_timeout_ms: 5_000 };

/** Creates the workflow engine's own pool: with a longer query timeout, and waiting while the database is unavailable. */
export function createWorkflowPool(connection: Connection, log: Log, limits = LIMITS): pg.Pool {
  const pool = createPool(connection, log, limits, "awoooi workflows", WorkflowClient);
  // The pool itself reports connections that break during a query or are not opened in time: translate these, too.
  translate(pool, pg.Pool.prototype);
  return pool;
}
