import type { CoreV1Event, V1Probe } from "@kubernetes/client-node";
import type { FindingCode } from "./codes.ts";
import type { Analyser, Draft, Facts } from "./facts.ts";
import {
  type Container,
  containersOf,
  eventFact,
  eventsOf,
  eventTime,
  firstFacts,
  grouped,
  LATELY_SECONDS,
  livePods,
  nameOf,
  podNames,
  secondsSince,
  stateFact,
} from "./pods.ts";
import { oneLine, podsText } from "./text.ts";

type Kind = "liveness" | "readiness" | "startup";

const CODES: Record<Kind, FindingCode> = {
  liveness: "liveness_probe_failing",
  readiness: "readiness_probe_failing",
  startup: "startup_probe_failing",
};

const MEANINGS: Record<Kind, string> = {
  liveness:
    "The kubelet kills the container: either it hangs, or the probe is too early, too strict or wrong.",
  readiness: "It runs but gets no requests: either it cannot serve, or the probe is wrong.",
  startup: "It does not start in the time that the probe allows, and is killed and restarted.",
};

/** Describes a probe's request, such as `GET :8080/healthz`. */
function probeText(probe: V1Probe | undefined): string {
  if (probe?.httpGet !== undefined)
    return `GET ${probe.httpGet.scheme === "HTTPS" ? "https " : ""}:${probe.httpGet.port}${probe.httpGet.path ?? "/"}`;
  if (probe?.tcpSocket !== undefined) return `TCP :${probe.tcpSocket.port}`;
  if (probe?.grpc !== undefined) return `gRPC :${probe.grpc.port}`;
  if (probe?.exec?.command !== undefined) return `command ${oneLine(probe.exec.command.join(" "), 100)}`;
  return "the probe";
}

const probeOf = ({ spec }: Container, kind: Kind): V1Probe | undefined =>
  ({ liveness: spec?.livenessProbe, readiness: spec?.readinessProbe, startup: spec?.startupProbe })[kind];

function failures(facts: Facts, { pod }: Container, kind: Kind): CoreV1Event[] {
  return eventsOf(facts, "pod", nameOf(pod), "Unhealthy").filter(
    (event) =>
      new RegExp(`^${kind} probe (failed|errored)`, "i").test(event.message ?? "") &&
      secondsSince(eventTime(event), facts.now) <= LATELY_SECONDS,
  );
}

/** Tells whether the container is, or recently was, in the state that a failing probe of this kind leads to. */
function suffers(facts: Facts, one: Container, kind: Kind): boolean {
  const { state = {}, lastState = {}, ready, started } = one.status;
  const end = state.terminated ?? lastState.terminated;
  const killed = secondsSince(end?.finishedAt, facts.now) <= LATELY_SECONDS && end?.reason !== "OOMKilled";
  if (kind === "readiness") return state.running !== undefined && !ready && started !== false;
  if (kind === "startup") return !ready && (started !== true || killed);
  return killed || (state.running !== undefined && !ready);
}

function answerOf(event: CoreV1Event | undefined): string {
  const [, said = ""] = /^\w+ probe (?:failed|errored)[^:]*: ([\s\S]*)$/i.exec(event?.message ?? "") ?? [];
  return oneLine(said, 160).replace(/[.\s]+$/, "");
}

function draft(facts: Facts, kind: Kind, same: readonly Container[]): Draft {
  const [one] = same as [Container];
  const [event] = failures(facts, one, kind);
  const names = podNames(same);
  const answer = answerOf(event);
  return {
    code: CODES[kind],
    title:
      `The ${kind} probe (${probeText(probeOf(one, kind))}) of container ${one.status.name} fails in ${podsText(names)}` +
      (answer === "" ? "" : `: ${answer}`),
    meaning: MEANINGS[kind],
    facts: [...firstFacts(same, stateFact), ...(event === undefined ? [] : [eventFact(event)])],
    pods: names,
  };
}

const PATIENCE_SECONDS = 60;

/** Tells whether a container has run long enough to be ready, for when the probe's event is gone or was not read. */
function silentlyUnready(facts: Facts, one: Container): boolean {
  const since = one.status.state?.running?.startedAt;
  const probe = one.spec?.readinessProbe;
  if (probe === undefined || since === undefined || one.status.started === false) return false;
  return secondsSince(since, facts.now) > PATIENCE_SECONDS + (probe.initialDelaySeconds ?? 0);
}

/** Finds probes that fail, with their request and the answer. */
export const probes: Analyser = (facts) => {
  const containers = livePods(facts)
    .flatMap(containersOf)
    .filter(({ init }) => !init);
  return (["startup", "liveness", "readiness"] as const).flatMap((kind) => {
    const failing = containers.filter(
      (one) =>
        suffers(facts, one, kind) &&
        (failures(facts, one, kind).length > 0 || (kind === "readiness" && silentlyUnready(facts, one))),
    );
    return [...grouped(failing, ({ status }) => status.name).values()].map((same) =>
      draft(facts, kind, same),
    );
  });
};
