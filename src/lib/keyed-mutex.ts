/** Runs pieces of work of the same name one after the other. */
export class KeyedMutex {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when its turn comes. If `abort.signal` fires before that, resolves to `abort.otherwise` at once. */
  take<T>(name: string, work: () => Promise<T>, abort?: { signal: AbortSignal; otherwise: T }): Promise<T> {
    let begun = false;
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(() => {
      if (abort?.signal.aborted) return abort.otherwise;
      begun = true;
      return work();
    });
    this.#last.set(
      name,
      mine.catch(() => undefined),
    );
    if (abort === undefined) return mine;
    const { signal, otherwise } = abort;
    const given = new Promise<T>((resolve) => {
      const look = () => void (begun || resolve(otherwise));
      if (signal.aborted) look();
      else signal.addEventListener("abort", look, { once: true });
    });
    return Promise.race([mine, given]);
  }
}
