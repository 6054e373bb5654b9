import type { Host, RunOptions } from "../connection/host.ts";
import type { TargetHealth } from "../tasks/task.ts";
import { inBytes } from "../text.ts";
import type { ReadResult } from "./units.ts";

export type Disk = { mount: string; size: number; free: number };

/** Parses the last line of `df -P -k`. Pure. */
function parseDf(text: string): Disk | undefined {
  const line = text.trim().split("\n").at(-1) ?? "";
  const [, size = "", free = "", mount = ""] = /\s(\d+)\s+\d+\s+(-?\d+)\s+\d+%\s+(\/.*)$/.exec(line) ?? [];
  return mount === "" ? undefined : { mount, size: Number(size) * 1024, free: Number(free) * 1024 };
}

/** Reads the filesystem that a path is on. */
export async function diskOf(host: Host, path: string): Promise<ReadResult<Disk>> {
  const df = await host.look(["df", "-P", "-k", "--", path]);
  if (!df.ok) return df;
  const disk = parseDf(df.stdout);
  return disk === undefined
    ? { ok: false, message: "the output of df could not be parsed" }
    : { ok: true, value: disk };
}

/** Reads the data folder of the container runtime. */
export async function runtimeRoot(host: Host, options: RunOptions = {}): Promise<ReadResult<string>> {
  const { runtime } = host.config;
  const format = runtime === "podman" ? "{{.Store.GraphRoot}}" : "{{.DockerRootDir}}";
  const info = await host.look(host.runtime("info", "--format", format), options);
  if (!info.ok) return info;
  const value = info.stdout.trim();
  return /^\/[^\0\n]{0,4000}$/.test(value)
    ? { ok: true, value }
    : { ok: false, message: `${runtime} does not report its data folder` };
}

/** Reads the filesystem of the container runtime's data folder. */
export async function runtimeDisk(host: Host): Promise<ReadResult<Disk>> {
  const root = await runtimeRoot(host);
  return root.ok ? diskOf(host, root.value) : root;
}

/** Judges a disk healthy when it has more free space than in the snapshot; null without a snapshot. */
export function observeDisk(disk: ReadResult<Disk>, before?: Record<string, unknown>): TargetHealth {
  const name = "disk";
  if (!disk.ok) return { healthy: null, facts: [{ name, passed: false, message: disk.message }] };
  const { mount, free, size } = disk.value;
  const now = `${inBytes(free)} of ${inBytes(size)} free on ${mount}`;
  const was = before?.free;
  if (typeof was !== "number") return { healthy: null, facts: [{ name, passed: true, message: now }] };
  const passed = free > was;
  const change = passed ? `${inBytes(free - was)} more than before` : "no more than before";
  return { healthy: passed, facts: [{ name, passed, message: `${now}, ${change}` }] };
}
