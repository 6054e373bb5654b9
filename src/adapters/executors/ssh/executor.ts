import type { ActResult, Executor, Resolution } from "../../../execution/index.ts";
import { clip } from "../../../lib/clip.ts";
import { closeNames } from "../../../lib/close-names.ts";
import type { KeyedMutex } from "../../../lib/keyed-mutex.ts";
import type { Operation } from "../../../operation/index.ts";
import type { Host } from "./connection/host.ts";
import type { Hosts } from "./connection/hosts.ts";
import { certificateTask } from "./tasks/certificate-task.ts";
import { composeTask } from "./tasks/compose-task.ts";
import { containerTask } from "./tasks/container-task.ts";
import { diagnoseTask } from "./tasks/diagnose-task.ts";
import { journalTask } from "./tasks/journal-task.ts";
import { logsTask } from "./tasks/logs-task.ts";
import { nginxTask } from "./tasks/nginx-task.ts";
import { pruneTask } from "./tasks/prune-task.ts";
import type { Task } from "./tasks/task.ts";
import { isAllowed, unitTask } from "./tasks/unit-task.ts";

const KINDS = [
  "host.diagnose",
  "host.systemctl_restart",
  "host.docker_restart",
  "host.docker_compose_restart",
  "host.clear_docker_logs",
  "host.docker_prune",
  "host.vacuum_journal",
  "host.renew_certificate",
  "host.reload_nginx",
] as const satisfies readonly Operation["kind"][];

type OnHost = Extract<Operation, { kind: (typeof KINDS)[number] }>;

const isOnHost = (operation: Operation): operation is OnHost =>
  (KINDS as readonly string[]).includes(operation.kind);

/** Returns the name of the host that a target is, or is on. */
export const hostOf = (target: { name: string; host?: string | undefined }): string =>
  target.host ?? target.name;

/** Returns the task of an operation on its host. */
function taskOf(host: Host, operation: OnHost): Task {
  switch (operation.kind) {
    case "host.diagnose":
      return diagnoseTask(host, operation);
    case "host.systemctl_restart":
      return unitTask(host, operation);
    case "host.docker_restart":
      return containerTask(host, operation);
    case "host.docker_compose_restart":
      return composeTask(host, operation);
    case "host.clear_docker_logs":
      return logsTask(host, operation);
    case "host.docker_prune":
      return pruneTask(host, operation);
    case "host.vacuum_journal":
      return journalTask(host, operation);
    case "host.renew_certificate":
      return certificateTask(host, operation);
    case "host.reload_nginx":
      return nginxTask(host, operation);
  }
}

/** Returns the operation's host and task; null when it is no host operation or its host is not configured. */
export function findTask(hosts: Hosts, operation: Operation): { host: Host; task: Task } | null {
  if (!isOnHost(operation)) return null;
  const host = hosts.find(hostOf(operation.target));
  return host === undefined ? null : { host, task: taskOf(host, operation) };
}

function unknownHost(hosts: Hosts, wanted: string): Resolution {
  const names = closeNames(wanted, hosts.names).slice(0, 5);
  if (names.length > 0) return { result: "suggestion", names };
  return { result: "miss", message: `no host "${clip(wanted, 100)}" is configured (ssh.hosts)` };
}

/** Returns why the configuration forbids the operation's target; undefined: it is allowed. */
function forbidden({ config }: Host, { target }: OnHost): string | undefined {
  const allowed =
    target.kind === "unit"
      ? isAllowed(config.units, target.name)
      : target.kind !== "container" || config.containers?.includes(target.name) !== false;
  return allowed ? undefined : `${target.kind} ${target.name} is not allowed by ssh.hosts`;
}

/** Runs the task. A retry does not repeat a change that has taken effect, or may have. */
async function act(task: Task, run: Parameters<Executor["act"]>[1], signal: AbortSignal): Promise<ActResult> {
  if (run.attempt > 1) {
    const effect = await task.effect(run.before);
    if (effect === "done") return { ok: true, output: "It had already taken effect" };
    if (effect === "cannot_tell")
      return { ok: false, error: "whether it took effect before is unknown: not repeated", sent: true };
  }
  return task.act(signal);
}

/** Creates the executor of operations on hosts; changes to one host run one at a time. */
export function createExecutor(hosts: Hosts, mutex: KeyedMutex): Executor {
  const find = (operation: Operation) => {
    const found = findTask(hosts, operation);
    if (found === null) throw new Error(`${operation.kind} has no configured host`);
    return found;
  };
  return {
    id: "ssh",
    kinds: KINDS,
    configuration(operation) {
      const found = findTask(hosts, operation);
      if (found === null || (isOnHost(operation) && forbidden(found.host, operation) !== undefined))
        return undefined;
      const { name, sudo, runtime, compose, renew_certificate } = found.host.config;
      const own = {
        ...(operation.kind === "host.docker_compose_restart" ? { compose } : {}),
        ...(operation.kind === "host.renew_certificate" ? { renew_certificate } : {}),
      };
      return { way: hosts.wayTo(name), sudo, runtime, ...own };
    },
    async resolve(operation) {
      if (!isOnHost(operation))
        return { result: "error", message: `${operation.kind} is not a host operation` };
      const found = findTask(hosts, operation);
      return found === null ? unknownHost(hosts, hostOf(operation.target)) : found.task.resolve();
    },
    async dryRun(operation) {
      const { host, task } = find(operation);
      const reached = await host.reach();
      // When the host cannot be reached, every other check would fail for the same reason.
      if (!reached.passed) return { checks: [reached] };
      const { checks, ...more } = await task.dryRun();
      return { checks: [reached, ...checks], ...more };
    },
    snapshot: async (operation) => find(operation).task.snapshot(),
    async act(operation, run, signal) {
      const { host, task } = find(operation);
      const otherwise: ActResult = { ok: false, error: "Cancelled before it began", sent: false };
      const refused = isOnHost(operation) ? forbidden(host, operation) : undefined;
      if (refused !== undefined) return { ok: false, error: refused, sent: false };
      if (operation.kind === "host.diagnose") return task.act(signal);
      return mutex.take(host.name, () => act(task, run, signal), { signal, otherwise });
    },
    async effect(operation, run) {
      const { host, task } = find(operation);
      if (Object.keys(run.before).length === 0 || "unavailable" in run.before) return "cannot_tell";
      // Waits for the mutex: an act in progress must not be judged halfway.
      return mutex.take(host.name, () => task.effect(run.before));
    },
    undo(operation) {
      const found = findTask(hosts, operation);
      return { ok: false, reason: found?.task.undo ?? "the host is not configured any more" };
    },
  };
}
