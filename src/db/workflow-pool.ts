import pg from "pg";
import { messageOf } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import { type Connection, createPool } from "./client.ts";
import { isUnavailable } from "./failure.ts";

type Callback = (error: unknown, ...results: unknown[]) => void;

/** The same error under a name that the workflow engine waits out. */
function passing(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  return Object.assign(new Error(messageOf(error), { cause: error }), { code: "ECONNRESET" });
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

// The engine pauses a workflow while its database is away, and knows that by a list of its own. What is not
// on it (a socket that is missing, a query without an answer, a failing disk) ends the workflow in the
// middle, unrecorded: nobody takes it up before the next start.
class WorkflowClient extends pg.Client {}
for (const name of ["connect", "query"] as const) {
  const original = pg.Client.prototype[name] as (...args: unknown[]) => unknown;
  Object.defineProperty(WorkflowClient.prototype, name, {
    value(this: WorkflowClient, ...args: unknown[]) {
      return translated(original.bind(this), args);
    },
  });
}

const LIMITS = { max: 10, query_timeout_ms: 30_000, connect_timeout_ms: 5_000 };

/** The workflow engine's own pool: its queries may take longer, and a database that is away is waited for. */
export function createWorkflowPool(connection: Connection, log: Log, limits = LIMITS): pg.Pool {
  return createPool(connection, log, limits, "awoooi workflows", WorkflowClient);
}
