import { counted } from "../../../../lib/words.ts";
import { CODES } from "./codes.ts";
import type { Draft, Fact, Facts } from "./facts.ts";
import { isReady, livePods, nameOf } from "./pods.ts";
import { podsText } from "./text.ts";
import { countOf, observed } from "./workload.ts";

/** Finds too few ready replicas, which is a symptom whatever the cause is. */
export function replicas(facts: Facts): Draft[] {
  const { workload } = facts;
  if (workload === null) return [];
  const { desired, ready } = countOf(workload);
  if (ready >= desired) return [];
  const unready = livePods(facts)
    .filter((pod) => !isReady(pod))
    .map(nameOf);
  return [
    {
      code: "replicas_unready",
      title: `${ready} of ${counted(desired, "replica")} ${ready === 1 ? "is" : "are"} ready`,
      meaning: unready.length === 0 ? "The others have no pod." : `Not ready: ${podsText(unready)}.`,
      facts: [
        {
          subject: `${workload.kind}/${nameOf(workload.object)}`,
          text: `ready replicas: ${ready} of ${desired}`,
        },
      ],
      pods: unready,
    },
  ];
}

/** The most pods that are read: `LIMITS.pods`. */
const MANY = 250;

function allReady(facts: Facts): Fact | undefined {
  const { workload, target, nodes, pods } = facts;
  const subject = `${target.kind}/${target.name}`;
  if (workload !== null) {
    const { desired, ready, updated } = countOf(workload);
    // Unread pods may have restarted, so all pods must have been read.
    const seen = livePods(facts).length >= Math.min(desired, MANY);
    const full = seen && observed(workload) && desired > 0 && ready >= desired && updated >= desired;
    return full
      ? { subject, text: `${ready} of ${counted(desired, "replica")} ready, all of the newest revision` }
      : undefined;
  }
  if (target.kind === "node") {
    const ready = nodes.find((node) => nameOf(node) === target.name);
    return ready && { subject, text: "is ready, without pressure" };
  }
  if (target.kind === "job") {
    const done = facts.jobs.some(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === "Complete" && is === "True"),
    );
    return done ? { subject, text: "is complete" } : undefined;
  }
  // Healthy pods say nothing about how full the volume is.
  if (target.kind === "persistentvolumeclaim") return undefined;
  const live = livePods(facts);
  const whole = live.length > 0 && live.every(isReady) && pods.length === live.length;
  return whole
    ? { subject, text: `${live.length === 1 ? "the pod is" : `all ${live.length} pods are`} ready` }
    : undefined;
}

/** Finds that nothing is wrong, in which case acting would only do harm. `drafts` are all the other findings. */
export function health(facts: Facts, drafts: readonly Draft[]): Draft[] {
  if (drafts.some(({ code }) => CODES[code] !== "note")) return [];
  const fact = allReady(facts);
  if (fact === undefined) return [];
  return [
    {
      code: "workload_healthy",
      title: "All of it is ready, and nothing restarted within the hour",
      meaning: "The cluster reports no fault of it now: the fault is over or elsewhere.",
      facts: [fact],
    },
  ];
}
