import { inLine } from "./text.ts";

/** A line of `/proc/mounts`, with names as they are. */
export type Mount = { device: string; mount: string; type: string; read_only: boolean };

export type Filesystem = {
  device: string;
  mount: string;
  /** As the kernel calls it, as `ext4`; empty where it is not known. */
  type: string;
  size: number;
  free: number;
  used_percent: number;
};

// What is no disk: it is full, or read-only, by its nature.
const NO_DISK =
  /^(tmpfs|devtmpfs|overlay|squashfs|udev|none|shm|proc|sysfs|cgroup\d?|efivarfs|ramfs|nsfs|iso9660|fuse|fusectl|fuse\.(lxcfs|gvfsd-fuse|portal|snapfuse))$/;
const NOT_LOOKED_AT = /^\/(proc|sys|dev|run|snap|var\/lib\/docker\/(overlay2|containers)|var\/snap)(\/|$)/;
const WRITTEN = /^(ext[234]|xfs|btrfs|f2fs|zfs|jfs)$/;

/** What is mounted, by mount point; the kernel writes blanks in names as `\040`. Of two on one point the later is seen. */
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

/** Whether it is a disk, by its kind; by its device's name where that is not known. A root filesystem always is one. */
function isDisk({ device, mount, type }: Pick<Filesystem, "device" | "mount" | "type">): boolean {
  if (mount === "/") return true;
  if (NOT_LOOKED_AT.test(mount)) return false;
  return !NO_DISK.test(type === "" ? device : type);
}

/** Mount points of disks that cannot be written. */
export function readOnly(mounts: ReadonlyMap<string, Mount>): string[] {
  return [...mounts.values()].flatMap(({ device, mount, type, read_only }) => {
    const disk = WRITTEN.test(type) && device.startsWith("/") === (type !== "zfs");
    return read_only && disk && !NOT_LOOKED_AT.test(mount) ? [inLine(mount)] : [];
  });
}

// Blocks, used, free and percent, before the mount point. What is before them is the device, which may have blanks in it.
const NUMBERS = /\s(\d+|-)\s+(-?\d+|-)\s+(-?\d+|-)\s+(\d+%|-)\s+(?=\/)/g;

/** A row of `df -P` in units of so many bytes; null: it has no size, as `proc`; undefined: it has another form. Pure. */
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
  // A name may look like numbers, too: what the kernel has mounted decides.
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

// As it was called; a program of the tests calls it by its path.
const ERROR = /^(?:\/\S*\/)?df: /;
export const isError = (line: string): boolean => ERROR.test(line);

/** What df says of one that it could not look at: which, and why. */
export function parseError(line: string): { path: string; reason: string } | undefined {
  const [, path, reason] = /^(.*): ([^:]+)$/.exec(line.replace(ERROR, "")) ?? [];
  if (path === undefined || reason === undefined) return undefined;
  return { path: path.replace(/^'(.*)'$/, "$1"), reason };
}

/** The disks among what `df -P` has printed of all, and what of it was not understood or not looked at. Pure. */
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

/** Percent: shipped alerts of node_exporter's mixin warn at about this. */
export const FULL = 95;

// Images that are written once: they are full by their nature.
const IMAGE = /^(squashfs|erofs|iso9660|udf|cramfs|romfs)$/;
export const isImage = ({ type }: Filesystem): boolean => IMAGE.test(type);

const isOn = (path: string, mount: string) => mount === "/" || path === mount || path.startsWith(`${mount}/`);

/** What a path is on: of all that are mounted before it, the one with the longest mount point. Pure. */
export function mountOf<T extends { mount: string }>(path: string, all: readonly T[]): T | undefined {
  const fits = all.filter(({ mount }) => isOn(path, mount));
  return fits.sort((a, b) => b.mount.length - a.mount.length)[0];
}

/** Whether a path is a folder of what is mounted there, and no mount point itself. */
export const isWithin = (path: string, mount: string): boolean =>
  isOn(path, mount) && path.replace(/\/+$/, "") !== mount.replace(/\/+$/, "");
