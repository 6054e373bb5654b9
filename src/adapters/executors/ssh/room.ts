import { listContainers } from "./containers.ts";
import { runtimeRoot } from "./disk.ts";
import type { HostFacts } from "./facts.ts";
import { type Filesystem, mountOf } from "./filesystems.ts";
import type { Host } from "./host.ts";
import { readJournal } from "./journal.ts";
import { logSizes } from "./logs-task.ts";
import { inLine, linesOf } from "./text.ts";
import type { Told } from "./units.ts";

/** Something that takes room on a filesystem. Bytes. */
export type Consumer = {
  kind: "folder" | "journal" | "build_cache" | "unused_images" | "container_log" | "deleted_file";
  /** A path of a folder or file, a container, or the process that holds a deleted file. */
  name: string;
  bytes: number;
  mount: string;
};

export type Room = { consumers: Consumer[]; missing: string[] };

type Look = { host: Host; facts: HostFacts; full: readonly Filesystem[]; signal?: AbortSignal | undefined };

// With sudo where that allows the very command. `timeout` is behind it: nobody but root ends what root runs.
const AS_FAR_AS_ALLOWED = `
root=$1; shift; set -- timeout -k 1 4 "$@"
[ "$root" = sudo ] && sudo -n -l -- "$@" >/dev/null 2>&1 && set -- sudo -n -- "$@"
"$@" 2>/dev/null; exit 0
`;

/** Runs what only reads, as root where that is allowed; what it has said until it was ended counts. */
function read({ host, signal }: Look, argv: readonly string[]) {
  const root = host.config.sudo ? "sudo" : "";
  return host.look(["sh", "-c", AS_FAR_AS_ALLOWED, "sh", root, ...argv], { signal });
}

/** The full filesystem that a path is on, or what else it is on: a device may be mounted at several points. */
function mountIn(path: string, { facts, full }: Look): string | undefined {
  const on = mountOf(path, [...facts.mounts, ...facts.filesystems, ...full]);
  if (on === undefined || full.some(({ mount }) => mount === on.mount)) return on?.mount;
  const same = full.find(({ device }) => device.startsWith("/") && device === on.device);
  return same?.mount ?? on.mount;
}

const onOne = (mount: string | undefined, { full }: Look) =>
  mount !== undefined && full.some((one) => one.mount === mount);

// Of the root filesystem: what is on others, or nobody may read, only costs time.
const OF_ROOT = ["/var", "/home", "/opt", "/root", "/srv", "/tmp", "/usr/local"];
const AT_MOST = 5;

/** Folders and files that say where the bytes are: of a folder that is mostly another entry, that one. Pure. */
export function largest(folders: readonly Consumer[], most = AT_MOST): Consumer[] {
  const telling = folders.filter(
    ({ name, bytes }) => !folders.some((one) => one.name.startsWith(`${name}/`) && one.bytes >= bytes * 0.8),
  );
  return telling.sort((a, b) => b.bytes - a.bytes).slice(0, most);
}

async function folders(look: Look): Promise<Told<Consumer[]>> {
  const roots = look.full.flatMap(({ mount }) => (mount === "/" ? OF_ROOT : [mount]));
  const said = await read(look, ["du", "-x", "-k", "-a", "-d", "2", "--", ...roots]);
  if (!said.ok) return said;
  const mounts = new Set(look.full.map(({ mount }) => mount));
  const all = linesOf(said.stdout).flatMap((line): Consumer[] => {
    const [, size, path = ""] = /^(\d+)\s+(\/.*)$/.exec(line) ?? [];
    const mount = mountIn(path, look);
    if (size === undefined || mount === undefined || mounts.has(path)) return [];
    return [{ kind: "folder", name: inLine(path), bytes: Number(size) * 1024, mount }];
  });
  return {
    ok: true,
    value: look.full.flatMap(({ mount }) => largest(all.filter((one) => one.mount === mount))),
  };
}

// Files without a name that a process has open: device, inode, blocks of 512 bytes, where.
const DELETED =
  "exec find -L /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 -type f -links 0 -size +10240k -printf '%D %i %b %p\\n'";

async function deletedFiles(look: Look): Promise<Told<Consumer[]>> {
  const [devices, said] = await Promise.all([
    read(look, ["stat", "-c", "%d %n", "--", ...look.full.map(({ mount }) => mount)]),
    read(look, ["sh", "-c", DELETED]),
  ]);
  if (!devices.ok) return devices;
  if (!said.ok) return said;
  const mounts = new Map(
    linesOf(devices.stdout).map((line) => {
      const [, device = "", mount = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
      return [device, mount] as const;
    }),
  );
  const seen = new Set<string>();
  const byProcess = new Map<string, Consumer>();
  for (const line of linesOf(said.stdout)) {
    const [, device = "", inode = "", blocks, pid] =
      /^(\d+) (\d+) (\d+) \/proc\/(\d+)\/fd\//.exec(line) ?? [];
    const mount = mounts.get(device);
    const file = `${device} ${inode}`;
    // What several have open takes its room once.
    if (mount === undefined || seen.has(file)) continue;
    seen.add(file);
    const command = look.facts.processes.find((one) => one.pid === Number(pid))?.name ?? "a process";
    const name = `${command} (${pid})`;
    const bytes = Number(blocks) * 512 + (byProcess.get(`${name} ${mount}`)?.bytes ?? 0);
    byProcess.set(`${name} ${mount}`, { kind: "deleted_file", name, bytes, mount });
  }
  return { ok: true, value: [...byProcess.values()] };
}

async function journal(look: Look): Promise<Told<Consumer[]>> {
  const found = await readJournal(look.host, look.signal);
  if (!found.ok) return found;
  const { dir, bytes } = found.value;
  const mount = mountIn(dir, look);
  return { ok: true, value: mount === undefined ? [] : [{ kind: "journal", name: dir, bytes, mount }] };
}

const UNITS: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `1.2GB`, as docker and podman write sizes. Pure. */
export function sizeOf(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)\s*([kKMGT]?B)\b/.exec(text.trim()) ?? [];
  return Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? 0)) || 0;
}

async function ofRuntime(look: Look): Promise<Told<Consumer[]>> {
  const { host, signal } = look;
  const { runtime } = host.config;
  const options = { signal };
  const root = await runtimeRoot(host, options);
  // Where there is no runtime it takes nothing.
  if (!root.ok) return { ok: true, value: [] };
  const mount = mountIn(root.value, look);
  if (mount === undefined || !onOne(mount, look)) return { ok: true, value: [] };
  const [usage, dangling, listed] = await Promise.all([
    host.look(host.runtime("system", "df", "--format", "{{.Type}}\t{{.Size}}"), options),
    host.look(host.runtime("images", "--filter", "dangling=true", "--format", "{{.Size}}"), options),
    listContainers(host),
  ]);
  const failed = [usage, dangling, listed].find((one) => !one.ok);
  if (failed?.ok === false) return failed;
  const cache = usage.ok ? /^Build Cache\t(.*)$/im.exec(usage.stdout)?.[1] : undefined;
  const unused = dangling.ok ? linesOf(dangling.stdout).reduce((sum, line) => sum + sizeOf(line), 0) : 0;
  const logs = listed.ok
    ? await logSizes(
        host,
        listed.value.map(({ id }) => id),
      )
    : [];
  return {
    ok: true,
    value: [
      { kind: "build_cache", name: `${runtime}'s build cache`, bytes: sizeOf(cache ?? ""), mount },
      { kind: "unused_images", name: "images without a name", bytes: unused, mount },
      ...logs.map(({ name, bytes }): Consumer => ({ kind: "container_log", name, bytes, mount })),
    ],
  };
}

const PARTS = { folders, "deleted files": deletedFiles, journal, containers: ofRuntime };

/** What takes the most room on these filesystems. What could not be read is said. Some seconds at most. */
export async function readRoom(look: Look): Promise<Room> {
  const names = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const parts = await Promise.all(names.map((name) => PARTS[name](look)));
  return {
    consumers: parts.flatMap((part) =>
      part.ok ? part.value.filter(({ bytes, mount }) => bytes > 0 && onOne(mount, look)) : [],
    ),
    missing: parts.flatMap((part, at) =>
      part.ok ? [] : [`what takes room on ${look.host.name} (${names[at]}): ${part.message}`],
    ),
  };
}
