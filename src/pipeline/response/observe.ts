import { admitLook, type Caller } from "../../execution/index.ts";
import type { Observer } from "../../verification/index.ts";
import type { PipelineDeps } from "../types.ts";

/**
 * Whoever is configured to see a target, as one observer that passes the gates before each look, by the configuration of that
 * moment. What they refuse cannot be told; `stop` ends a series of looks then, for none of them could be.
 */
export function observing(
  now: () => PipelineDeps,
  about: { incident_id: string; caller: Caller },
  stop?: AbortController,
): readonly Observer[] {
  const eyes: Observer = {
    id: "observer",
    observes: (target) => now().observers.some((one) => one.observes(target)),
    async observe(target, at, deed) {
      const { observers, run, as } = now();
      const one = observers.find((each) => each.observes(target));
      if (one === undefined) throw new Error("nothing configured can see it any more");
      // What failed is told under the name of who failed.
      eyes.id = one.id;
      const operation = deed?.operation ?? { kind: "investigate" as const, target, parameters: {} };
      const refused = await admitLook(as("pipeline"), run.gateway, { ...about, operation }, one.tool);
      if (refused === undefined) return one.observe(target, at, deed);
      stop?.abort();
      throw new Error(`it may not be looked at (${refused.message})`);
    },
  };
  return [eyes];
}
