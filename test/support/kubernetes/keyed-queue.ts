import { setTimeout as delay } from "node:timers/promises";

/** Milliseconds between two attempts, and how many of these are too many for an API server that starts again. */
const PAUSE = 100;
const TOO_MANY = 300;

export type KeyedQueue = {
  /** Has the work done for this key: now, or once more after the one that is under way. */
  push(key: string): void;
  /** Takes no more, and waits for what is under way. */
  stop(): Promise<void>;
};

/** Does `work` for many keys at once, but for each key once at a time; what fails is tried again. */
export function keyedQueue(work: (key: string) => Promise<void>): KeyedQueue {
  const again = new Set<string>();
  const running = new Map<string, Promise<void>>();
  const stopped = new AbortController();
  const run = async (key: string) => {
    for (let failures = 0; again.delete(key) && !stopped.signal.aborted; ) {
      try {
        await work(key);
        failures = 0;
      } catch (error) {
        // Whatever it is, as a kubelet does: the API server may be away, or the object have changed.
        failures += 1;
        if (failures === TOO_MANY) console.error(`${key} fails again and again:`, error);
        again.add(key);
        await delay(PAUSE, undefined, { signal: stopped.signal }).catch(() => {});
      }
    }
    running.delete(key);
  };
  return {
    push(key) {
      if (stopped.signal.aborted) return;
      again.add(key);
      if (!running.has(key)) running.set(key, run(key));
    },
    async stop() {
      stopped.abort();
      await Promise.all(running.values());
    },
  };
}
