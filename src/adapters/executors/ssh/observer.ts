import type { OperationTarget } from "../../../contract/incident.ts";
import { clip } from "../../../lib/clip.ts";
import type { Observer, PerformedAction } from "../../../verification/index.ts";
import type { Host } from "./connection/host.ts";
import type { Hosts } from "./connection/hosts.ts";
import { findTask, hostOf } from "./executor.ts";
import { observeService } from "./tasks/compose-task.ts";
import { observeContainers } from "./tasks/container-task.ts";
import { observeHost } from "./tasks/diagnose-task.ts";
import type { TargetHealth } from "./tasks/task.ts";
import { observeUnit } from "./tasks/unit-task.ts";

export const TARGETS = ["host", "unit", "container", "compose_service"];

/** Observes a target on its own, without regard to an earlier action. */
function observeTarget(host: Host, { kind, name }: OperationTarget, now: Date): Promise<TargetHealth> {
  switch (kind) {
    case "unit":
      return observeUnit(host, name);
    case "container":
      return observeContainers(host, [name]);
    case "compose_service":
      return observeService(host, name, undefined);
    default:
      return observeHost(host, now);
  }
}

async function observeAfter(
  hosts: Hosts,
  target: OperationTarget,
  now: Date,
  deed: PerformedAction | undefined,
): Promise<TargetHealth> {
  const done = deed && findTask(hosts, deed.operation);
  if (done) {
    const usable = !("unavailable" in deed.before);
    return done.task.observe(now, usable ? deed.before : undefined);
  }
  const host = hosts.find(hostOf(target));
  if (host === undefined) throw new Error(`no host "${clip(hostOf(target), 100)}" is configured`);
  return observeTarget(host, target, now);
}

/** Creates the observer of hosts, units, containers and compose services; after an action, its task judges the effect. */
export function createObserver(hosts: Hosts): Observer {
  return {
    id: "ssh",
    tool: "ssh_diagnose",
    observes: (target) => TARGETS.includes(target.kind) && hosts.find(hostOf(target)) !== undefined,
    async observe(target, now, deed) {
      return { at: now.toISOString(), ...(await observeAfter(hosts, target, now, deed)) };
    },
  };
}
