/**
 * A read that serves all who ask while an earlier one runs: none is given what was read, in part, before it asked, and
 * one at a time runs. It rejects for all of them when it fails.
 */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
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
