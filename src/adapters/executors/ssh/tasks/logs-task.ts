import type { ActResult, Resolution } from "../../../../execution/index.ts";
import { clip } from "../../../../lib/clip.ts";
import type { Operation } from "../../../../operation/index.ts";
import { type Argv, checkPermission, type Host } from "../connection/host.ts";
import { type ContainerState, inspect, listContainers } from "../facts/containers.ts";
import { observeDisk, runtimeDisk } from "../facts/disk.ts";
import type { ReadResult } from "../facts/units.ts";
import { inBytes } from "../text.ts";
import { findContainer } from "./container-task.ts";
import type { Task } from "./task.ts";

type Clear = Extract<Operation, { kind: "host.clear_docker_logs" }>;
type Log = { name: string; path: string };

// A log path is about 150 characters: the command line must stay below 128 KiB.
export const LOGS_AT_ONCE = 200;
// The path from the runtime becomes an argument of `truncate`: accept only an absolute `.log` path without `..`.
const LOG_PATH = /^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\0\n]{1,2000}\.log$/;

/** Returns the log files of the containers that the configuration allows acting on. */
function logsOf(host: Pick<Host, "config">, list: readonly ContainerState[]): Log[] {
  const { containers } = host.config;
  return list
    .filter(({ name }) => containers?.includes(name) !== false)
    .filter(
      ({ log_driver, log_path }) => ["json-file", "k8s-file"].includes(log_driver) && LOG_PATH.test(log_path),
    )
    .map(({ name, log_path: path }) => ({ name, path }));
}

async function logs(host: Host, { target }: Clear): Promise<ReadResult<Log[]>> {
  if (target.kind === "container") {
    const state = await inspect(host, [target.name]);
    return state.ok ? { ok: true, value: logsOf(host, state.value) } : state;
  }
  const there = await listContainers(host);
  if (!there.ok) return there;
  const state = await inspect(
    host,
    there.value.map(({ id }) => id),
  );
  return state.ok ? { ok: true, value: logsOf(host, state.value) } : state;
}

/** Reads the size of the first `LOGS_AT_ONCE` logs in bytes, in the order of the list; empty when `stat` fails. */
async function sizes(host: Host, list: readonly Log[]): Promise<number[]> {
  if (list.length === 0) return [];
  const paths = list.slice(0, LOGS_AT_ONCE).map(({ path }) => path);
  const looked = await host.look(host.privileged(["stat", "-c", "%s", "--", ...paths]));
  return looked.ok
    ? looked.stdout
        .trim()
        .split("\n")
        .map((line) => Number(line) || 0)
    : [];
}

/** Reads the log sizes of the first `LOGS_AT_ONCE` of these containers, in bytes. */
export async function logSizes(
  host: Host,
  ids: readonly string[],
): Promise<ReadResult<{ name: string; bytes: number }[]>> {
  const state = await inspect(host, ids.slice(0, LOGS_AT_ONCE));
  if (!state.ok) return state;
  const list = logsOf(host, state.value);
  const bytes = await sizes(host, list);
  if (bytes.length < list.length) return { ok: false, message: "the sizes of their logs could not be read" };
  return { ok: true, value: list.map(({ name }, at) => ({ name, bytes: bytes[at] ?? 0 })) };
}

const truncate = (list: readonly Log[]): Argv => [
  "truncate",
  "-s",
  "0",
  "--",
  ...list.map(({ path }) => path),
];

async function clear(host: Host, list: readonly Log[], signal: AbortSignal): Promise<ActResult> {
  for (let at = 0; at < list.length; at += LOGS_AT_ONCE) {
    const some = list.slice(at, at + LOGS_AT_ONCE);
    const result = await host.change(host.privileged(truncate(some)), signal);
    if (!result.ok) return at === 0 ? result : { ...result, sent: true };
  }
  return {
    ok: true,
    output: `Emptied the logs of ${clip(list.map(({ name }) => name).join(", "), 2_000)}`,
  };
}

/** The task that empties the log file of one container, or of all containers on a host. */
export function logsTask(host: Host, operation: Clear): Task {
  const { target } = operation;
  return {
    undo: "the lines of the logs are lost",
    async resolve(): Promise<Resolution> {
      const here =
        target.kind === "container" ? { ...target, host: host.name } : { ...target, name: host.name };
      const found = target.kind === "container" ? await findContainer(host, target.name) : null;
      if (found !== null && found.result !== "hit") return found;
      return { result: "hit", exact: { ...operation, target: here } };
    },
    async dryRun() {
      const found = await logs(host, operation);
      if (!found.ok) return { checks: [{ name: "log files", passed: false, message: found.message }] };
      const list = found.value;
      const [first] = list;
      if (first === undefined) {
        const message = "there is no log file to empty: other log drivers store logs elsewhere";
        return { checks: [{ name: "log files", passed: false, message }] };
      }
      const [permission, bytes] = await Promise.all([
        checkPermission(host, truncate([first])),
        sizes(host, list),
      ]);
      const total = bytes.reduce((sum, one) => sum + one, 0);
      const diff = list.map(
        ({ name }, at) => `- log of ${name}: ${bytes[at] === undefined ? "?" : inBytes(bytes[at])}`,
      );
      const message = `${list.length}, ${inBytes(total)} in total`;
      return { checks: [permission, { name: "log files", passed: true, message }], diff: diff.join("\n") };
    },
    async snapshot() {
      const found = await logs(host, operation);
      if (!found.ok) throw new Error(found.message);
      const [bytes, disk] = await Promise.all([sizes(host, found.value), runtimeDisk(host)]);
      const listed = found.value.slice(0, LOGS_AT_ONCE).map((one, at) => ({ ...one, bytes: bytes[at] ?? 0 }));
      return { logs: listed, ...(disk.ok ? { free: disk.value.free, mount: disk.value.mount } : {}) };
    },
    async act(signal) {
      const found = await logs(host, operation);
      if (!found.ok) return { ok: false, error: found.message, sent: false };
      if (found.value.length === 0) return { ok: false, error: "there is no log file to empty", sent: false };
      return clear(host, found.value, signal);
    },
    async effect(before) {
      const was = (Array.isArray(before.logs) ? before.logs : []) as (Log & { bytes: number })[];
      const full = was.filter(({ bytes }) => bytes > 0);
      const now = await sizes(host, full);
      if (full.length === 0 || now.length !== full.length) return "cannot_tell";
      const smaller = full.filter(({ bytes }, at) => (now[at] ?? 0) < bytes);
      if (smaller.length === full.length) return "done";
      return smaller.length === 0 ? "not_done" : "cannot_tell";
    },
    observe: async (_now, before) => observeDisk(await runtimeDisk(host), before),
  };
}
