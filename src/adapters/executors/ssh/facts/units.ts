import { unitName } from "../../../../operation/index.ts";
import type { Host } from "../connection/host.ts";
import { invalidNameReason } from "../tasks/task.ts";
import { inLine } from "../text.ts";

/** A unit's state in systemd. Numeric times are microseconds of the host's monotonic clock. */
export type UnitState = {
  id: string;
  load: string;
  active: string;
  sub: string;
  result: string;
  type: string;
  since: string;
  invocation: string;
  main_pid: number;
  restarts: number;
  entered: number;
  changed: number;
  /** When and how it was last reloaded, as systemd prints it (`ExecReload`). */
  reloaded: string;
  /** Microseconds since it became active; null when it is not, or the clocks do not agree. */
  up: number | null;
};

export type ReadResult<T> = { ok: true; value: T } | { ok: false; message: string };

const PROPERTIES =
  "Id,LoadState,ActiveState,SubState,Result,Type,ActiveEnterTimestamp,ActiveEnterTimestampMonotonic," +
  "StateChangeTimestampMonotonic,InvocationID,MainPID,NRestarts,ExecReload";
const SCRIPT = 'cat /proc/uptime 2>/dev/null; exec systemctl show --no-pager --property="$2" -- "$1"';

/** Parses the output of `systemctl show`, after the line of `/proc/uptime`. Pure. */
function parseUnit(text: string): UnitState {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^(\w+)=(.*)$/s.exec(line) ?? [];
    if (name !== undefined && !values.has(name)) values.set(name, value);
  }
  const of = (name: string) => inLine(values.get(name) ?? "", 300);
  const number = (name: string) => Number(values.get(name)) || 0;
  const entered = number("ActiveEnterTimestampMonotonic");
  const uptime = Number.parseFloat(text) * 1e6;
  const up = entered > 0 && uptime >= entered ? uptime - entered : null;
  return {
    id: of("Id"),
    load: of("LoadState"),
    active: of("ActiveState"),
    sub: of("SubState"),
    result: of("Result"),
    type: of("Type"),
    since: of("ActiveEnterTimestamp"),
    invocation: of("InvocationID"),
    main_pid: number("MainPID"),
    restarts: number("NRestarts"),
    entered,
    changed: number("StateChangeTimestampMonotonic"),
    reloaded: of("ExecReload"),
    up,
  };
}

export async function unitState(host: Host, unit: string): Promise<ReadResult<UnitState>> {
  const gap = invalidNameReason(unit, unitName);
  if (gap !== null) return { ok: false, message: gap };
  const looked = await host.look(["sh", "-c", SCRIPT, "sh", unit, PROPERTIES]);
  return looked.ok ? { ok: true, value: parseUnit(looked.stdout) } : looked;
}

/** Lists the names of the services on the host. */
export async function unitNames(host: Host): Promise<ReadResult<string[]>> {
  const script =
    "systemctl list-unit-files --type=service --no-legend --no-pager --plain; " +
    "systemctl list-units --all --type=service --no-legend --no-pager --plain";
  const looked = await host.look(["sh", "-c", script]);
  if (!looked.ok) return looked;
  const names = looked.stdout.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "");
  // A template (`name@.service`) has no process of its own. Anything that is no valid name is dropped.
  const services = names.filter((name) => /^[A-Za-z0-9][\w.:@-]{0,254}\.service$/.test(name));
  return { ok: true, value: [...new Set(services.filter((name) => !name.endsWith("@.service")))] };
}

/** Returns whether a unit is active with a running process, is a oneshot service, or a listening socket. */
export function runs({ active, sub, type }: UnitState): boolean {
  return active === "active" && (sub === "running" || type === "oneshot" || sub === "listening");
}

/** Describes a unit's state for people. */
export function inState({ active, sub, since, restarts, result }: UnitState): string {
  const times = restarts === 0 ? "" : `, restarted ${restarts} times by systemd`;
  const why = result === "" || result === "success" ? "" : `, ${result}`;
  return `${active} (${sub})${since === "" ? "" : ` since ${since}`}${why}${times}`;
}
