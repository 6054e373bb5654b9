import type { Resolution } from "../../../../execution/index.ts";
import type { Operation } from "../../../../operation/index.ts";
import { checkPermission, type Host } from "../connection/host.ts";
import { type ContainerState, inState, inspect, isWell, listContainers } from "../facts/containers.ts";
import { inLine } from "../text.ts";
import {
  type Effect,
  keepsRestarting,
  notAllowed,
  notFound,
  startedAnew,
  type TargetHealth,
  type Task,
} from "./task.ts";

/** Looks a container up by its exact name, and checks that the configuration allows acting on it. */
export async function findContainer(host: Host, name: string): Promise<Resolution> {
  const there = await listContainers(host);
  if (!there.ok) return { result: "error", message: there.message };
  const names = there.value.map((one) => one.name);
  const { containers } = host.config;
  if (!names.includes(name)) return notFound("container", name, containers ?? names);
  if (containers?.includes(name) === false) return notAllowed("container", name, "containers");
  return { result: "hit" };
}

/** Returns the snapshot fields that later tell whether the containers were restarted. */
export function startsOf(list: readonly ContainerState[]): Record<string, unknown> {
  const containers = list.map(({ id, name, status, started_at, restarts, exit_code }) => ({
    id,
    name,
    status,
    started_at,
    restarts,
    exit_code,
  }));
  return { containers };
}

type Start = { id: string; name: string; started_at: string; restarts: number };
export function startsIn(before: Record<string, unknown>): Start[] {
  return Array.isArray(before.containers) ? (before.containers as Start[]) : [];
}

/** Returns whether all containers were restarted since the snapshot; `cannot_tell` if only some were. Pure. */
export function effectOnContainers(before: Record<string, unknown>, now: readonly ContainerState[]): Effect {
  const effects = startsIn(before).map(({ id, started_at, restarts }) => {
    const one = now.find((each) => each.id === id);
    if (one === undefined) return "cannot_tell" as const;
    return startedAnew({ start: started_at, restarts }, { start: one.started_at, restarts: one.restarts });
  });
  const [first = "cannot_tell"] = effects;
  return effects.every((each) => each === first) ? first : "cannot_tell";
}

/** Judges containers healthy when all run well and, with a snapshot, none restarts by itself since. Pure. */
export function containersHealth(
  list: readonly ContainerState[],
  before?: Record<string, unknown>,
): TargetHealth {
  const facts = list.map((one) => ({
    name: `container ${one.name}`,
    passed: isWell(one),
    message: inState(one),
  }));
  if (list.length === 0)
    facts.push({ name: "container", passed: false, message: "there is no such container" });
  if (before !== undefined) {
    const restarting = list.filter((one) => {
      const was = startsIn(before).find(({ name }) => name === one.name);
      return keepsRestarting(was?.restarts, one.restarts);
    });
    const names = restarting.map(({ name, restarts }) => `${name} (${restarts} times)`).join(", ");
    const message = names === "" ? "none since" : `restarted unexpectedly since: ${names}`;
    facts.push({ name: "restarts", passed: names === "", message });
  }
  return { healthy: facts.every((fact) => fact.passed), facts };
}

export async function observeContainers(
  host: Host,
  names: readonly string[],
  before?: Record<string, unknown>,
): Promise<TargetHealth> {
  const state = await inspect(host, names);
  if (state.ok) return containersHealth(state.value, before);
  return { healthy: null, facts: [{ name: "container", passed: false, message: state.message }] };
}

/** The task that runs `docker restart` for one container. */
export function containerTask(
  host: Host,
  operation: Extract<Operation, { kind: "host.docker_restart" }>,
): Task {
  const { name } = operation.target;
  return {
    undo: "the old processes have ended; a restart cannot be undone",
    async resolve() {
      const found = await findContainer(host, name);
      const exact = { ...operation, target: { ...operation.target, host: host.name } };
      return found.result === "hit" ? { result: "hit", exact } : found;
    },
    async dryRun() {
      const [permission, state] = await Promise.all([
        checkPermission(host, [host.config.runtime, "restart", "--", name]),
        inspect(host, [name]),
      ]);
      const message = state.ok ? state.value.map(inState).join(", ") : state.message;
      const services = state.ok ? state.value.flatMap(({ service }) => service ?? []) : [];
      return {
        checks: [permission, { name: "present state", passed: state.ok, message }],
        belongs_to: services.map((one) => `${host.name}/${inLine(one)}`),
      };
    },
    async snapshot() {
      const state = await inspect(host, [name]);
      if (!state.ok) throw new Error(state.message);
      return startsOf(state.value);
    },
    act: (signal) => host.change(host.runtime("restart", "--", name), signal),
    async effect(before) {
      const state = await inspect(host, [name]);
      return state.ok ? effectOnContainers(before, state.value) : "cannot_tell";
    },
    observe: (_now, before) => observeContainers(host, [name], before),
  };
}
