import type { Host } from "../connection/host.ts";
import { LOGS_AT_ONCE, logSizes } from "../tasks/logs-task.ts";
import { inBytes, inLine, linesOf } from "../text.ts";
import { listContainers } from "./containers.ts";
import { runtimeRoot } from "./disk.ts";
import type { HostFacts } from "./facts.ts";
import { type Filesystem, mountOf } from "./filesystems.ts";
import { readJournal } from "./journal.ts";
import type { ReadResult } from "./units.ts";

/** Something that takes space on a filesystem, with its size in bytes. */
export type Consumer = {
  kind: "folder" | "journal" | "build_cache" | "unused_images" | "container_log" | "deleted_file";
  /** The path of a folder or file, a container's name, or the process that holds a deleted file open. */
  name: string;
  bytes: number;
  mount: string;
  /** Set when not everything on the filesystem was read: something else may be larger. */
  partial?: true;
};

export type DiskUsage = { consumers: Consumer[]; missing: string[] };

type DiskUsageQuery = {
  host: Host;
  facts: HostFacts;
  full: readonly Filesystem[];
  signal?: AbortSignal | undefined;
};

type FilesystemFacts = Pick<DiskUsageQuery, "facts" | "full">;

/** Result of one part; `gaps` say what could not be read. */
type ConsumersResult = ReadResult<{ consumers: Consumer[]; gaps: string[] }>;

const SECONDS = 4;
// Seconds added for sudo and the connection before the command is given up.
const MARGIN = 4;
const ENDED = 75;
// Uses sudo if sudo allows this exact command. `timeout` runs under sudo: only root can end a process of root.
const AS_FAR_AS_ALLOWED = `
root=$1; shift; set -- timeout -k 1 ${SECONDS} "$@"
[ "$root" = sudo ] && sudo -n -l -- "$@" >/dev/null 2>&1 && set -- sudo -n -- "$@"
"$@"; code=$?
case $code in 124 | 137) exit ${ENDED} ;; esac
exit $code
`;
// Errors that leave no gap: something that does not exist or vanished meanwhile, and a single refused descriptor, which
// is a container's first process (of other users' processes the whole `fd` folder is refused).
const NOT_MISSED = /: No such (file or directory|process)$|\/fd\/\d+'?: Permission denied$/;

/** The complete output lines, whether the command timed out, and the first thing that it could not read. */
type DuOutput = { lines: string[]; ended: boolean; refused: string | null };

/** Returns the first error that leaves a gap; null: there is none. */
function refusalOf(code: number, stderr: string): string | null {
  const said = linesOf(stderr);
  const left = code === 1 || code === ENDED ? said.filter((line) => !NOT_MISSED.test(line)) : said;
  if (code === 0 || (left.length === 0 && (code === ENDED || said.length > 0))) return null;
  return inLine(left[0] ?? `exit code ${code}`);
}

/** Runs a read-only command, as root where sudo allows; the output up to a timeout is kept. */
async function read(
  { host, signal }: DiskUsageQuery,
  argv: readonly string[],
): Promise<ReadResult<DuOutput>> {
  const root = host.config.sudo ? "sudo" : "";
  const command = ["sh", "-c", AS_FAR_AS_ALLOWED, "sh", root, ...argv] as const;
  const ran = await host.run(command, { seconds: SECONDS + MARGIN, signal });
  if (ran.kind === "failed") return { ok: false, message: ran.error };
  const { code, stdout, stderr, dropped } = ran;
  if (dropped > 0)
    return { ok: false, message: `its output exceeds ${host.terms.output_limit} bytes (ssh.output_limit)` };
  // Drops a last line that was cut: it is no valid path.
  const lines = linesOf(stdout.slice(0, stdout.lastIndexOf("\n") + 1));
  return { ok: true, value: { lines, ended: code === ENDED, refused: refusalOf(code, stderr) } };
}

const someRefused = (refused: string) => `some could not be read (${refused})`;
const TO_THE_END = `completely within ${SECONDS} s`;

/** Returns the mount point of a path: that of a full filesystem on the same device, if there is one, else its own. */
function mountIn(path: string, { facts, full }: FilesystemFacts): string | undefined {
  const on = mountOf(path, [...facts.mounts, ...facts.filesystems, ...full]);
  if (on === undefined || full.some(({ mount }) => mount === on.mount)) return on?.mount;
  const same = full.find(({ device }) => device.startsWith("/") && device === on.device);
  return same?.mount ?? on.mount;
}

const onOne = (mount: string | undefined, { full }: DiskUsageQuery) =>
  mount !== undefined && full.some((one) => one.mount === mount);

// Folders read of the root filesystem: the rest is on other filesystems or unreadable, and only costs time.
const OF_ROOT = ["/var", "/home", "/opt", "/root", "/srv", "/tmp", "/usr/local"];
const AT_MOST = 5;
// Share of the used space: if more is unaccounted for, it is in other folders or in deleted files.
const MUCH = 0.2;

/** Returns the largest entries; a folder of which one entry inside makes up 80% is replaced by that entry. Pure. */
export function largest(folders: readonly Consumer[], most = AT_MOST): Consumer[] {
  const telling = folders.filter(
    ({ name, bytes }) => !folders.some((one) => one.name.startsWith(`${name}/`) && one.bytes >= bytes * 0.8),
  );
  return telling.sort((a, b) => b.bytes - a.bytes).slice(0, most);
}

type SizedPath = { path: string; bytes: number };
const rootsOf = ({ full }: FilesystemFacts) =>
  full.flatMap(({ mount }) => (mount === "/" ? OF_ROOT : [mount]));

/** Returns what `du` did not report of the full filesystems, each with the mounts concerned. */
function gapsOf(sizes: readonly SizedPath[], { ended, refused }: DuOutput, where: FilesystemFacts) {
  // du prints a folder after its contents: a folder with a line was read completely.
  const through = new Set(sizes.map(({ path }) => path));
  const left = rootsOf(where).filter((root) => !through.has(root) && (ended || !OF_ROOT.includes(root)));
  const root = where.full.find(({ mount }) => mount === "/");
  const told = sizes.filter(({ path }) => OF_ROOT.includes(path) && mountIn(path, where) === "/");
  const used = root === undefined ? 0 : root.size - root.free;
  const rest = used - told.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...left.map((path) => ({
      text: `${inLine(path)} was not read${ended ? ` ${TO_THE_END}` : ""}`,
      mounts: [mountIn(path, where)],
    })),
    ...(!ended && rest > used * MUCH
      ? [
          {
            text: `of / only ${OF_ROOT.join(", ")} were read: ${inBytes(rest)} are elsewhere`,
            mounts: ["/"],
          },
        ]
      : []),
    ...(refused === null
      ? []
      : [{ text: someRefused(refused), mounts: where.full.map(({ mount }) => mount) }]),
  ];
}

/** Returns the largest entries that `du` reported on the full filesystems, and the gaps. Pure. */
export function foldersIn(said: DuOutput, where: FilesystemFacts): { consumers: Consumer[]; gaps: string[] } {
  const sizes = said.lines.flatMap((line): SizedPath[] => {
    const [, size, path = ""] = /^(\d+)\s+(\/.*)$/.exec(line) ?? [];
    return size === undefined ? [] : [{ path, bytes: Number(size) * 1024 }];
  });
  const gaps = gapsOf(sizes, said, where);
  const partly = new Set(gaps.flatMap(({ mounts }) => mounts));
  const all = sizes.flatMap(({ path, bytes }): Consumer[] => {
    const mount = mountIn(path, where);
    if (mount === undefined || where.full.some((one) => one.mount === path)) return [];
    const partial = partly.has(mount) ? { partial: true as const } : {};
    return [{ kind: "folder", name: inLine(path), bytes, mount, ...partial }];
  });
  const consumers = where.full.flatMap(({ mount }) => largest(all.filter((one) => one.mount === mount)));
  return { consumers, gaps: gaps.map(({ text }) => text) };
}

async function folders(look: DiskUsageQuery): Promise<ConsumersResult> {
  const said = await read(look, ["du", "-x", "-k", "-a", "-d", "2", "--", ...rootsOf(look)]);
  return said.ok ? { ok: true, value: foldersIn(said.value, look) } : said;
}

// Deleted files that a process has open: device, inode, blocks of 512 bytes, path in /proc.
const DELETED =
  "exec find -L /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 -type f -links 0 -size +10240k -printf '%D %i %b %p\\n'";

async function deletedFiles(look: DiskUsageQuery): Promise<ConsumersResult> {
  const [devices, said] = await Promise.all([
    read(look, ["stat", "-c", "%d %n", "--", ...look.full.map(({ mount }) => mount)]),
    read(look, ["sh", "-c", DELETED]),
  ]);
  if (!devices.ok) return devices;
  if (!said.ok) return said;
  const mounts = new Map(
    devices.value.lines.map((line) => {
      const [, device = "", mount = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
      return [device, mount] as const;
    }),
  );
  const seen = new Set<string>();
  const byProcess = new Map<string, Consumer>();
  for (const line of said.value.lines) {
    const [, device = "", inode = "", blocks, pid] =
      /^(\d+) (\d+) (\d+) \/proc\/(\d+)\/fd\//.exec(line) ?? [];
    const mount = mounts.get(device);
    const file = `${device} ${inode}`;
    // A file that several processes have open is counted once.
    if (mount === undefined || seen.has(file)) continue;
    seen.add(file);
    const command = look.facts.processes.find((one) => one.pid === Number(pid))?.name ?? "a process";
    const name = `${command} (${pid})`;
    const bytes = Number(blocks) * 512 + (byProcess.get(`${name} ${mount}`)?.bytes ?? 0);
    byProcess.set(`${name} ${mount}`, { kind: "deleted_file", name, bytes, mount });
  }
  const gaps = [devices.value, said.value].flatMap(({ ended, refused }) => [
    ...(ended ? [`not read ${TO_THE_END}`] : []),
    ...(refused === null ? [] : [someRefused(refused)]),
  ]);
  return { ok: true, value: { consumers: [...byProcess.values()], gaps } };
}

async function journal(look: DiskUsageQuery): Promise<ConsumersResult> {
  const found = await readJournal(look.host, look.signal);
  if (!found.ok) return found;
  const { dir, bytes } = found.value;
  const mount = mountIn(dir, look);
  return {
    ok: true,
    value: {
      consumers: mount === undefined ? [] : [{ kind: "journal", name: dir, bytes, mount }],
      gaps: [],
    },
  };
}

const UNITS: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** Parses a size as docker and podman print it, such as `1.2GB`, into bytes; 0 if it is none. Pure. */
export function sizeOf(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)\s*([kKMGT]?B)\b/.exec(text.trim()) ?? [];
  return Math.round(Number(number) * (UNITS[unit.toUpperCase()] ?? 0)) || 0;
}

// How a shell, `timeout` and sudo report a missing command.
const NO_RUNTIME = /^exit code 127\b|command not found$/;

async function ofRuntime(look: DiskUsageQuery): Promise<ConsumersResult> {
  const { host, signal } = look;
  const { runtime } = host.config;
  const options = { signal };
  const nothing: ConsumersResult = { ok: true, value: { consumers: [], gaps: [] } };
  const root = await runtimeRoot(host, options);
  if (!root.ok) return NO_RUNTIME.test(root.message) ? nothing : root;
  const mount = mountIn(root.value, look);
  if (mount === undefined || !onOne(mount, look)) return nothing;
  const [usage, dangling, listed] = await Promise.all([
    host.look(host.runtime("system", "df", "--format", "{{.Type}}\t{{.Size}}"), options),
    host.look(host.runtime("images", "--filter", "dangling=true", "--format", "{{.Size}}"), options),
    listContainers(host),
  ]);
  const ids = listed.ok ? listed.value.map(({ id }) => id) : [];
  const logs = listed.ok ? await logSizes(host, ids) : listed;
  const cache = usage.ok ? /^Build Cache\t(.*)$/im.exec(usage.stdout)?.[1] : undefined;
  const unused = dangling.ok ? linesOf(dangling.stdout).reduce((sum, line) => sum + sizeOf(line), 0) : 0;
  const ofLogs = logs.ok ? logs.value : [];
  return {
    ok: true,
    value: {
      consumers: [
        { kind: "build_cache", name: `${runtime}'s build cache`, bytes: sizeOf(cache ?? ""), mount },
        { kind: "unused_images", name: "untagged images", bytes: unused, mount },
        ...ofLogs.map(({ name, bytes }): Consumer => ({ kind: "container_log", name, bytes, mount })),
      ],
      gaps: [
        ...[usage, dangling, logs].flatMap((one) => (one.ok ? [] : [one.message])),
        ...(ids.length > LOGS_AT_ONCE ? [`only the logs of ${LOGS_AT_ONCE} of ${ids.length} were read`] : []),
      ],
    },
  };
}

const PARTS = { folders, "deleted files": deletedFiles, journal, containers: ofRuntime };

/** Reads what takes the most space on the full filesystems, and what could not be read. Takes some seconds at most. */
export async function readDiskUsage(look: DiskUsageQuery): Promise<DiskUsage> {
  const names = Object.keys(PARTS) as (keyof typeof PARTS)[];
  const parts = await Promise.all(names.map((name) => PARTS[name](look)));
  const gaps = parts.map((part) => (part.ok ? part.value.gaps : [part.message]));
  return {
    consumers: parts.flatMap((part) =>
      part.ok ? part.value.consumers.filter(({ bytes, mount }) => bytes > 0 && onOne(mount, look)) : [],
    ),
    missing: gaps.flatMap((some, at) =>
      some.map((gap) => `disk usage of ${look.host.name} (${names[at]}): ${gap}`),
    ),
  };
}
