import type { Check } from "../../../../contract/approval.ts";
import type { Resolution } from "../../../../execution/index.ts";
import { containerName, type Operation } from "../../../../operation/index.ts";
import { checkPermission, type Host } from "../connection/host.ts";
import { type ContainerState, inState, inspect, listContainers } from "../facts/containers.ts";
import type { ReadResult } from "../facts/units.ts";
import { inLine } from "../text.ts";
import { containersHealth, effectOnContainers, startsIn, startsOf } from "./container-task.ts";
import { invalidNameReason, notAllowed, notFound, type TargetHealth, type Task } from "./task.ts";

type Restart = Extract<Operation, { kind: "host.docker_compose_restart" }>;

// A project name read from a container label becomes a command argument.
const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const PROJECT = "label=com.docker.compose.project";
const SERVICE = "label=com.docker.compose.service";

/** Returns the `docker compose` arguments that select a project. */
function projectArgs(host: Host, project: string): string[] {
  const dir = host.config.compose.find((one) => one.project === project)?.dir;
  return ["compose", "--project-name", project, ...(dir === undefined ? [] : ["--project-directory", dir])];
}

/** Reads the containers of a service, running or not. */
async function ofService(
  host: Host,
  service: string,
  project: string | undefined,
): Promise<ReadResult<ContainerState[]>> {
  const gap = invalidNameReason(service, containerName);
  if (gap !== null) return { ok: false, message: gap };
  const filters = [`${SERVICE}=${service}`, ...(project === undefined ? [] : [`${PROJECT}=${project}`])];
  const there = await listContainers(host, filters);
  return there.ok
    ? inspect(
        host,
        there.value.map(({ id }) => id),
      )
    : there;
}

async function servicesOf(host: Host, project: string): Promise<ReadResult<string[]>> {
  const looked = await host.look(
    host.runtime(
      "ps",
      "--all",
      "--filter",
      `${PROJECT}=${project}`,
      "--format",
      '{{.Label "com.docker.compose.service"}}',
    ),
  );
  if (!looked.ok) return looked;
  const names = looked.stdout.split("\n").map((line) => inLine(line));
  return { ok: true, value: [...new Set(names.filter(Boolean))] };
}

/** Finds the project of the service: a configured one that has it first, else the only one that has it. */
async function resolve(host: Host, operation: Restart): Promise<Resolution> {
  const { target, parameters } = operation;
  const { containers } = host.config;
  const found = await ofService(host, target.name, parameters.project);
  if (!found.ok) return { result: "error", message: found.message };
  const all = [
    ...new Set(
      found.value.flatMap(({ project }) => (project !== null && NAME.test(project) ? [project] : [])),
    ),
  ];
  const configured = all.filter((one) => host.config.compose.some(({ project }) => project === one));
  const projects = configured.length > 0 ? configured : all;
  const [project] = projects;
  if (project === undefined) {
    const known = parameters.project ?? host.config.compose[0]?.project;
    const there = known === undefined ? { ok: true as const, value: [] } : await servicesOf(host, known);
    if (!there.ok) return { result: "error", message: there.message };
    return notFound("compose service", target.name, there.value);
  }
  if (projects.length > 1)
    return {
      result: "miss",
      message: `${target.name} is a service of ${projects.map((one) => inLine(one)).join(" and ")}: name the project`,
    };
  const foreign = found.value.find(({ name }) => containers?.includes(name) === false);
  if (foreign !== undefined) return notAllowed("container", foreign.name, "containers");
  return {
    result: "hit",
    exact: { ...operation, target: { ...target, host: host.name }, parameters: { project } },
  };
}

/** Validates the compose file, when the configuration names its folder. */
async function checkFile(host: Host, project: string): Promise<Check> {
  const name = "compose file";
  const entry = host.config.compose.find((one) => one.project === project);
  if (entry?.dir === undefined)
    return {
      name,
      passed: true,
      message: "its folder is not configured: the existing containers are restarted",
    };
  const looked = await host.look(host.runtime(...projectArgs(host, project), "config", "--quiet"));
  return { name, passed: looked.ok, message: looked.ok ? `${entry.dir} is valid` : looked.message };
}

export async function observeService(
  host: Host,
  service: string,
  project: string | undefined,
  before?: Record<string, unknown>,
): Promise<TargetHealth> {
  const state = await ofService(host, service, project);
  if (state.ok) return containersHealth(state.value, before);
  return { healthy: null, facts: [{ name: "compose service", passed: false, message: state.message }] };
}

/** The task that runs `docker compose restart` for one service. */
export function composeTask(host: Host, operation: Restart): Task {
  const { name } = operation.target;
  const { project = host.config.compose[0]?.project } = operation.parameters;
  const args = [...(project === undefined ? ["compose"] : projectArgs(host, project)), "restart", "--", name];
  return {
    undo: "the old processes have ended; a restart cannot be undone",
    resolve: () => resolve(host, operation),
    async dryRun() {
      const [permission, file, state] = await Promise.all([
        checkPermission(host, [host.config.runtime, ...args]),
        checkFile(host, project ?? ""),
        ofService(host, name, project),
      ]);
      const message = state.ok
        ? state.value.map((one) => `${one.name}: ${inState(one)}`).join("; ") || "there is no container"
        : state.message;
      return { checks: [permission, file, { name: "present state", passed: state.ok, message }] };
    },
    async snapshot() {
      const state = await ofService(host, name, project);
      if (!state.ok) throw new Error(state.message);
      return startsOf(state.value);
    },
    act: (signal) => host.change(host.runtime(...args), signal),
    async effect(before) {
      if (startsIn(before).length === 0) return "cannot_tell";
      const state = await ofService(host, name, project);
      return state.ok ? effectOnContainers(before, state.value) : "cannot_tell";
    },
    observe: (_now, before) => observeService(host, name, project, before),
  };
}
