import type { Observation } from "../../../contract/execution.ts";
import { clip } from "../../../lib/clip.ts";
import { inTime } from "../../../lib/duration.ts";
import type { Observer } from "../../../verification/index.ts";
import { ask, type Probed } from "./probe.ts";
import { type Live, locate, type Supervised } from "./supervised.ts";

function healthOf(live: Live | undefined, probed: Probed | undefined): boolean | null {
  if (live === undefined) return false;
  return probed?.asked === true ? probed.ok : null;
}

async function observe(one: Supervised, now: Date): Promise<Observation> {
  const { probe } = one.config;
  const [live, probed] = await Promise.all([locate(one), probe && ask(probe)]);
  const age = live && inTime(now.getTime() - Date.parse(live.started_at));
  const process = {
    name: "process",
    passed: live !== undefined,
    message: live
      ? `pid ${live.pid}, up for ${age}${live.suspended ? ", suspended" : ""}`
      : ["none is running", one.stopped()].filter(Boolean).join(", stopped on purpose "),
  };
  const facts = probed ? [process, { name: "probe", passed: probed.ok, message: probed.message }] : [process];
  return { at: now.toISOString(), healthy: healthOf(live, probed), facts };
}

/** Looks at configured processes: whether one lives, and what its probe answers. */
export function createObserver(processes: ReadonlyMap<string, Supervised>): Observer {
  return {
    id: "local-process",
    observes: ({ kind, name }) => kind === "process" && processes.has(name),
    async observe({ name }, now) {
      const one = processes.get(name);
      if (one === undefined) throw new Error(`no process "${clip(name, 100)}" is configured`);
      return observe(one, now);
    },
  };
}
