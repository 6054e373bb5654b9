import type { Check } from "../../../../contract/approval.ts";
import type { Resolution } from "../../../../execution/index.ts";
import { formatDuration } from "../../../../lib/duration.ts";
import type { Operation } from "../../../../operation/index.ts";
import { type Argv, checkPermission, type Host } from "../connection/host.ts";
import { inState, runs, type UnitState, unitNames, unitState } from "../facts/units.ts";
import { keepsRestarting, notAllowed, notFound, startedAnew, type TargetHealth, type Task } from "./task.ts";

type Restart = Extract<Operation, { kind: "host.systemctl_restart" }>;

const SUFFIX = /\.(service|timer|socket|path)$/;
const full = (name: string) => (SUFFIX.test(name) ? name : `${name}.service`);

const NAME = /^[A-Za-z0-9][\w.:@-]{0,254}$/;

/** Returns whether the configuration allows acting on a unit, by its name with or without suffix. */
export function isAllowed(units: readonly string[] | undefined, name: string): boolean {
  return units === undefined || units.some((one) => full(one) === full(name));
}

async function resolve(host: Host, operation: Restart): Promise<Resolution> {
  const { name } = operation.target;
  const { units } = host.config;
  const state = await unitState(host, name);
  if (!state.ok) return { result: "error", message: state.message };
  const { load } = state.value;
  // Replace an alias by the unit's own name, if the host reports a valid and allowed one.
  const canonical = NAME.test(state.value.id) && isAllowed(units, state.value.id);
  const id = canonical ? state.value.id : full(name);
  if (load === "not-found" || load === "") {
    const there = await unitNames(host);
    if (!there.ok) return { result: "error", message: there.message };
    return notFound("unit", full(name), units?.map(full) ?? there.value);
  }
  if (load !== "loaded") return { result: "miss", message: `unit ${id} is ${load}` };
  if (!isAllowed(units, id)) return notAllowed("unit", id, "units");
  return {
    result: "hit",
    exact: { ...operation, target: { ...operation.target, name: id, host: host.name } },
  };
}

async function checkFile(host: Host, unit: string): Promise<Check> {
  const looked = await host.look(["systemctl", "cat", "--no-pager", "--", unit]);
  const message = looked.ok ? "systemd has loaded it" : looked.message;
  return { name: "unit file", passed: looked.ok, message };
}

/** Observes a unit; `before` is the snapshot from before its restart. */
export async function observeUnit(
  host: Host,
  unit: string,
  before?: Record<string, unknown>,
): Promise<TargetHealth> {
  const state = await unitState(host, unit);
  if (!state.ok) return { healthy: null, facts: [{ name: "unit", passed: false, message: state.message }] };
  return unitHealth(state.value, host.terms.settle, before);
}

/** Judges a unit: running, up for `settle` seconds and, with a snapshot, not restarted by systemd since. Pure. */
function unitHealth(state: UnitState, settle: number, before?: Record<string, unknown>): TargetHealth {
  const facts = [{ name: "unit", passed: runs(state), message: inState(state) }];
  if (runs(state) && state.up !== null && state.type !== "oneshot") {
    const passed = state.up >= settle * 1e6;
    facts.push({ name: "settled", passed, message: `up for ${formatDuration(state.up / 1000)}` });
  }
  if (before !== undefined) {
    const passed = !keepsRestarting(before.restarts, state.restarts);
    const message = passed
      ? "not restarted by systemd since"
      : `restarted ${state.restarts} times by systemd`;
    facts.push({ name: "restarts", passed, message });
  }
  return { healthy: facts.every((fact) => fact.passed), facts };
}

/** The task that runs `systemctl restart` for one unit. */
export function unitTask(host: Host, operation: Restart): Task {
  const { name } = operation.target;
  const restart: Argv = host.privileged(["systemctl", "restart", "--", name]);
  return {
    undo: "the old processes have ended; a restart cannot be undone",
    resolve: () => resolve(host, operation),
    async dryRun() {
      const [file, permission, state] = await Promise.all([
        checkFile(host, name),
        checkPermission(host, ["systemctl", "restart", "--", name]),
        unitState(host, name),
      ]);
      const message = state.ok ? inState(state.value) : state.message;
      return { checks: [permission, file, { name: "present state", passed: state.ok, message }] };
    },
    async snapshot() {
      const state = await unitState(host, name);
      if (!state.ok) throw new Error(state.message);
      const { id, active, sub, since, invocation, main_pid, restarts } = state.value;
      return { unit: id, active, sub, since, invocation, main_pid, restarts };
    },
    act: (signal) => host.change(restart, signal),
    async effect({ invocation, restarts }) {
      const state = await unitState(host, name);
      if (!state.ok) return "cannot_tell";
      return startedAnew(
        { start: invocation, restarts },
        {
          start: state.value.invocation,
          restarts: state.value.restarts,
        },
      );
    },
    observe: (_now, before) => observeUnit(host, name, before),
  };
}
