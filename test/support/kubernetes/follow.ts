import { setTimeout as delay } from "node:timers/promises";
import { type KubeConfig, Watch } from "@kubernetes/client-node";

/**
 * Tells of every object under `path` that there is, and of each change, until `signal`. When the connection
 * ends it begins anew, and so tells of all of them again; what was deleted meanwhile is not told.
 */
export async function follow<T>(
  config: KubeConfig,
  path: string,
  signal: AbortSignal,
  tell: (type: string, object: T) => void,
): Promise<void> {
  const watch = new Watch(config);
  while (!signal.aborted) {
    await new Promise<void>((end) => {
      // Without a version the API server begins with all that there is.
      const started = watch.watch(path, {}, tell, () => end());
      started.then((request) => {
        signal.addEventListener("abort", () => request.abort(), { once: true });
        if (signal.aborted) request.abort();
      }, end);
    });
    await delay(100, undefined, { signal }).catch(() => {});
  }
}
