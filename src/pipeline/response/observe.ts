import { admitObservation, type Caller } from "../../execution/index.ts";
import type { Observer } from "../../verification/index.ts";
import type { PipelineDeps } from "../types.ts";

/**
 * Combines the observers of a target into one that passes the gateway's checks before each observation, by the
 * configuration of that moment. A refused observation throws; it also aborts `stop`, since a series of observations cannot
 * go on.
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
      if (one === undefined) throw new Error("no observer for it is configured any more");
      // The observer's own id appears in the message when it fails.
      eyes.id = one.id;
      const operation = deed?.operation ?? { kind: "investigate" as const, target, parameters: {} };
      const refused = await admitObservation(as("pipeline"), run.gateway, { ...about, operation }, one.tool);
      if (refused === undefined) return one.observe(target, at, deed);
      stop?.abort();
      throw new Error(`observing it was refused (${refused.message})`);
    },
  };
  return [eyes];
}
