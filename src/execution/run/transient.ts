const PERMANENT =
  /not found|no such|forbidden|permission denied|unauthori[sz]ed|already exists|invalid|immutable|destructive|blocked|\b(ENOENT|EACCES|EPERM)\b/i;
const TRANSIENT =
  /connection refused|connection reset|timed? ?out|\b(i\/?o|input\/output) error|temporary failure|temporarily unavailable|service unavailable|too many requests|dial tcp|\bEOF\b|\b(ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAGAIN|EIO|ETXTBSY)\b/i;
const TRANSIENT_STATUS = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Returns whether an error is transient: by its status if any, else by its text. Text of a permanent error wins. */
export function isTransient(error: { error: string; status?: number }): boolean {
  if (PERMANENT.test(error.error)) return false;
  if (error.status !== undefined) return TRANSIENT_STATUS.has(error.status);
  return TRANSIENT.test(error.error);
}
