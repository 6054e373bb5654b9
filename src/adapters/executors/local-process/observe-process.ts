import { clip } from "../../../lib/clip.ts";
import { formatDuration } from "../../../lib/duration.ts";
import { type Probed, sendProbe } from "./probe.ts";
import { type Live, locate, type Supervised } from "./supervised.ts";

/** What is observed of a process: `text` describes its state, `probed` is its probe's result, if it has a probe. */
export type ProcessObservation = { live: Live | undefined; text: string; probed: Probed | undefined };

/** Returns the configured process of this name; throws when there is none. */
export function configured(processes: ReadonlyMap<string, Supervised>, name: string): Supervised {
  const one = processes.get(name);
  if (one === undefined) throw new Error(`no process "${clip(name, 100)}" is configured`);
  return one;
}

/** Returns the milliseconds since its start. */
export const ageOf = ({ started_at }: Live, now: Date): number => now.getTime() - Date.parse(started_at);

/** Observes whether a process lives and what its probe answers, both at the same time. */
export async function observeProcess(one: Supervised, now: Date): Promise<ProcessObservation> {
  const { probe } = one.config;
  const [live, probed] = await Promise.all([locate(one), probe && sendProbe(probe)]);
  const text = live
    ? `pid ${live.pid}, up for ${formatDuration(ageOf(live, now))}${live.suspended ? ", suspended" : ""}`
    : ["none is running", one.stopped()].filter(Boolean).join(", stopped on purpose ");
  return { live, text, probed };
}
