import pg from "pg";
import { messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { type Connection, createPool } from "./client.ts";
import { isUnavailable } from "./failure.ts";

type Callback = (error: unknown, ...results: unknown[]) => void;

const PASSES = "ECONNRESET";

/** The same error under a name that the workflow engine waits out. */
function passing(error: unknown): unknown {
  if (!isUnavailable(error) || (error as { code?: unknown }).code === PASSES) return error;
  return Object.assign(new Error(messageOf(error), { cause: error }), { code: PASSES });
}

/** Calls `call` with `args`, in either of the two ways in which pg tells an error. */
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

// What goes on when the pool has ended is to stop where it is, as if the process were gone: the next start takes it up.
// The engine would ask again and again, for ever, and whatever else it is told ends the workflow.
const unanswered = () => new Promise<never>(() => {});

// The engine pauses a workflow while its database is away, and knows that by a list of its own. What is not
// on it (a socket that is missing, a query without an answer, a failing disk) ends the workflow in the
// middle, unrecorded: nobody takes it up before the next start.
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

/** The workflow engine's own pool: its queries may take longer, and a database that is away is waited for. */
export function createWorkflowPool(connection: Connection, log: Log, limits = LIMITS): pg.Pool {
  const pool = createPool(connection, log, limits, "awoooi workflows", WorkflowClient);
  // The pool tells by itself of a connection that breaks under a query, and of one that is not made in time.
  translate(pool, pg.Pool.prototype);
  return pool;
}
