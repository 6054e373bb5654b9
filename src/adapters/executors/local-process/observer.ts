import type { Observation } from "../../../contract/execution.ts";
import type { Observer } from "../../../verification/index.ts";
import { configured, observeProcess } from "./observe-process.ts";
import type { Probed } from "./probe.ts";
import type { Live, Supervised } from "./supervised.ts";

function healthOf(live: Live | undefined, probed: Probed | undefined): boolean | null {
  if (live === undefined) return false;
  return probed?.asked === true ? probed.ok : null;
}

async function observe(one: Supervised, now: Date): Promise<Observation> {
  const { live, text, probed } = await observeProcess(one, now);
  const process = { name: "process", passed: live !== undefined, message: text };
  const facts = probed ? [process, { name: "probe", passed: probed.ok, message: probed.message }] : [process];
  return { at: now.toISOString(), healthy: healthOf(live, probed), facts };
}

/** Creates the observer of configured processes: whether one lives, and what its probe answers. */
export function createObserver(processes: ReadonlyMap<string, Supervised>): Observer {
  return {
    id: "local-process",
    observes: ({ kind, name }) => kind === "process" && processes.has(name),
    observe: async ({ name }, now) => observe(configured(processes, name), now),
  };
}
