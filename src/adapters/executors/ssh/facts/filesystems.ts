import { inLine } from "../text.ts";

/** A line of `/proc/mounts`, with its names unescaped. */
export type Mount = { device: string; mount: string; type: string; read_only: boolean };

export type Filesystem = {
  device: string;
  mount: string;
  /** The kernel's name for the type, such as `ext4`; empty when unknown. */
  type: string;
  size: number;
  free: number;
  used_percent: number;
};

// Filesystem types that are no disk: being full or read-only is normal for them.
const NO_DISK =
  /^(tmpfs|devtmpfs|overlay|squashfs|udev|none|shm|proc|sysfs|cgroup\d?|efivarfs|ramfs|nsfs|iso9660|fuse|fusectl|fuse\.(lxcfs|gvfsd-fuse|portal|snapfuse))$/;
const NOT_LOOKED_AT = /^\/(proc|sys|dev|run|snap|var\/lib\/docker\/(overlay2|containers)|var\/snap)(\/|$)/;
const WRITTEN = /^(ext[234]|xfs|btrfs|f2fs|zfs|jfs)$/;

/** Parses `/proc/mounts` by mount point, unescaping `\040` and the like. Of two on one mount point, keeps the later. */
export function mountsOf(lines: readonly string[]): ReadonlyMap<string, Mount> {
  const plain = (text: string) =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return new Map(
    lines.map((line) => {
      const [device = "", mount = "", type = "", options = ""] = line.split(" ");
      const read_only = options.split(",").includes("ro");
      return [plain(mount), { device: plain(device), mount: plain(mount), type, read_only }] as const;
    }),
  );
}

/** Returns whether a filesystem is a disk, by its type or, when unknown, its device's name. `/` always is one. */
function isDisk({ device, mount, type }: Pick<Filesystem, "device" | "mount" | "type">): boolean {
  if (mount === "/") return true;
  if (NOT_LOOKED_AT.test(mount)) return false;
  return !NO_DISK.test(type === "" ? device : type);
}

/** Returns the mount points of disks that are mounted read-only. */
export function readOnly(mounts: ReadonlyMap<string, Mount>): string[] {
  return [...mounts.values()].flatMap(({ device, mount, type, read_only }) => {
    const disk = WRITTEN.test(type) && device.startsWith("/") === (type !== "zfs");
    return read_only && disk && !NOT_LOOKED_AT.test(mount) ? [inLine(mount)] : [];
  });
}

// Blocks, used, free and percent, before the mount point. Before them stands the device, which may contain blanks.
const NUMBERS = /\s(\d+|-)\s+(-?\d+|-)\s+(-?\d+|-)\s+(\d+%|-)\s+(?=\/)/g;

/** Parses a row of `df -P`, in blocks of `unit` bytes; null: no size (as `proc`); undefined: another form. Pure. */
export function parseRow(
  line: string,
  unit: number,
  mounts: ReadonlyMap<string, Mount>,
): Filesystem | null | undefined {
  const readings = [...line.matchAll(NUMBERS)].map((found) => ({
    device: line.slice(0, found.index).trim(),
    mount: line.slice(found.index + found[0].length),
    numbers: found.slice(1),
  }));
  // A device or mount name may look like the numbers, too: prefer the reading whose mount point is in `/proc/mounts`.
  const {
    device = "",
    mount = "",
    numbers = [],
  } = readings.find((one) => mounts.has(one.mount)) ?? readings[0] ?? {};
  const [size = "", , free = "", percent = ""] = numbers;
  if (device === "") return undefined;
  if (size === "0" || size === "-") return null;
  if (free === "-" || percent === "-") return undefined;
  return {
    device: inLine(device),
    mount: inLine(mount),
    type: inLine(mounts.get(mount)?.type ?? "", 40),
    size: Number(size) * unit,
    free: Number(free) * unit,
    used_percent: Number.parseInt(percent, 10),
  };
}

// df prints the name by which it was called; a test program calls it by its path.
const ERROR = /^(?:\/\S*\/)?df: /;
export const isError = (line: string): boolean => ERROR.test(line);

/** Parses an error line of df into the path and the reason. */
export function parseError(line: string): { path: string; reason: string } | undefined {
  const [, path, reason] = /^(.*): ([^:]+)$/.exec(line.replace(ERROR, "")) ?? [];
  if (path === undefined || reason === undefined) return undefined;
  return { path: path.replace(/^'(.*)'$/, "$1"), reason };
}

/** Parses the output of `df -P` for all filesystems: the disks, and what was not understood or not readable. Pure. */
export function parseList(
  name: string,
  lines: readonly string[],
  unit: number,
  mounts: ReadonlyMap<string, Mount>,
): { filesystems: Filesystem[]; unread: string[] } {
  const filesystems: Filesystem[] = [];
  const unread: string[] = [];
  for (const line of lines.filter((one) => !isError(one)).slice(1)) {
    const one = parseRow(line, unit, mounts);
    if (one === undefined) unread.push(`a line of ${name} (${inLine(line, 100)})`);
    else if (one !== null && isDisk(one)) filesystems.push(one);
  }
  for (const line of lines.filter(isError)) {
    const refused = parseError(line);
    const mount = mounts.get(refused?.path ?? "");
    if (refused === undefined) unread.push(`${name} (${inLine(line, 100)})`);
    else if (isDisk({ device: "", mount: refused.path, type: mount?.type ?? "" }))
      unread.push(inLine(`${refused.path} (${refused.reason})`));
  }
  return { filesystems, unread };
}

/** Percent; about where the alerts of node_exporter's mixin warn. */
export const FULL = 95;

// Read-only image formats: always full.
const IMAGE = /^(squashfs|erofs|iso9660|udf|cramfs|romfs)$/;
export const isImage = ({ type }: Filesystem): boolean => IMAGE.test(type);

const isOn = (path: string, mount: string) => mount === "/" || path === mount || path.startsWith(`${mount}/`);

/** Returns the mount that a path is on: the one with the longest mount point that contains it. Pure. */
export function mountOf<T extends { mount: string }>(path: string, all: readonly T[]): T | undefined {
  const fits = all.filter(({ mount }) => isOn(path, mount));
  return fits.sort((a, b) => b.mount.length - a.mount.length)[0];
}

/** Returns whether a path lies inside a mount and is not the mount point itself. */
export const isWithin = (path: string, mount: string): boolean =>
  isOn(path, mount) && path.replace(/\/+$/, "") !== mount.replace(/\/+$/, "");
