// SQLSTATE classes of a server that is unreachable, shutting down, or out of resources; 08P01, a protocol violation, is
// our own mistake. 25006 comes from a replica that a failover has not promoted yet, 25P03 and 25P04 from a server that
// closed the connection after a timeout of its own. UNAVAILABLE_CODES are Node's codes of a socket that is closed,
// refused, or missing.
const UNAVAILABLE_STATES = /^(08(?!P01)|57P0|53|58|XX|25006|25P0[34])/;
const UNAVAILABLE_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ENOTFOUND",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "ECONNABORTED",
  "EHOSTDOWN",
  "ENETDOWN",
  "ENETUNREACH",
  // `TakenOverError`: another server uses the database.
  "ETAKENOVER",
  "EHOSTUNREACH",
]);
const UNAVAILABLE_TEXT =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (has encountered a connection error|was closed) and is not queryable|Cannot use a pool after calling end/;

function* causes(error: unknown): Generator<{ code?: unknown; message?: unknown; syscall?: unknown }> {
  for (let at = error; at !== null && typeof at === "object"; at = (at as { cause?: unknown }).cause)
    yield at;
}

/** Returns whether `error` or one of its causes has one of these SQLSTATEs. */
export function hasState(error: unknown, states: readonly string[]): boolean {
  return [...causes(error)].some((cause) => typeof cause.code === "string" && states.includes(cause.code));
}

/** Returns whether `error` means that the database is unreachable or cannot write for now; the request itself was valid. */
export function isUnavailable(error: unknown): boolean {
  return [...causes(error)].some((cause) => {
    if (typeof cause.code === "string" && UNAVAILABLE_CODES.has(cause.code)) {
      return cause.code !== "ENOENT" || cause.syscall === "connect";
    }
    if (typeof cause.code === "string" && UNAVAILABLE_STATES.test(cause.code)) return true;
    return typeof cause.message === "string" && UNAVAILABLE_TEXT.test(cause.message);
  });
}
