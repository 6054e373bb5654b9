/**
 * Returns a `read` that runs once at a time: callers that arrive while it runs share the next run, so that no caller
 * gets data from before its call. A run that fails rejects for all its callers.
 */
export function shareConcurrentReads<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        const begun = read();
        running = begun;
        return begun;
      });
    return next;
  };
}
