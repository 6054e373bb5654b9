import { inLine } from "../text.ts";
import { type Filesystem, isError, isWithin, type Mount, parseError, parseRow } from "./filesystems.ts";

// Labels of node_exporter, cAdvisor, Datadog, Netdata and Zabbix. Telegraf's `path` is not here: it may be of a URL.
const MOUNT_LABELS = ["mountpoint", "mount_point", "mount"];
const DEVICE_LABELS = ["device", "disk"];
// Prefixes under which monitors in a container see the host's root.
const SEEN_THROUGH = /^\/(rootfs|hostfs|host\/root|host)(?=\/|$)/;
const PATH = /^\/[^\0\n\r]{0,1000}$/;
const DEVICE = /^[\w./:@-]{1,200}$/;
const MOST = 4;

/** Paths and devices in alert labels. Untrusted: devices are only compared, paths only passed to `df`. */
export type NamedFilesystems = {
  /** A path with a container monitor's prefix is followed by the path without it. */
  paths: string[];
  /** Those from labels that certainly mean a path on the host, not a URL's. */
  mounts: string[];
  devices: string[];
};

/** What `df` answered for a path in the alert. */
export type NamedPath = {
  path: string;
  /** False when `df` hung. */
  answered: boolean;
  /** Null when the path does not exist, `df` hung, or it could not be read. */
  filesystem: Filesystem | null;
  /** Why it could not be read. */
  unread?: string;
};

/** Returns a path without the prefix of a container monitor; undefined: it has none. */
function hostPath(path: string): string | undefined {
  return SEEN_THROUGH.test(path) ? path.replace(SEEN_THROUGH, "") || "/" : undefined;
}

/** Groups an ordered list so that a prefixed path is paired with the next one if that is its path without prefix. */
function inPairs<T>(all: readonly T[], pathOf: (one: T) => string): [T, T?][] {
  const [first, second, ...rest] = all;
  if (first === undefined) return [];
  if (second === undefined) return [[first]];
  const pair = hostPath(pathOf(first)) === pathOf(second);
  return pair
    ? [[first, second], ...inPairs(rest, pathOf)]
    : [[first], ...inPairs([second, ...rest], pathOf)];
}

/** Returns the paths and devices that the labels name, at most four of each. Pure. */
export function namedIn(labels: readonly Readonly<Record<string, string>>[]): NamedFilesystems {
  const of = (names: readonly string[], form: RegExp) => {
    const values = labels.flatMap((one) => names.map((name) => (Object.hasOwn(one, name) ? one[name] : "")));
    return values.filter((value) => value !== undefined && form.test(value)) as string[];
  };
  const asked = (paths: readonly string[]) => paths.flatMap((path) => [path, hostPath(path) ?? []].flat());
  const mounts = [...new Set(of(MOUNT_LABELS, PATH))].slice(0, MOST);
  return {
    mounts: asked(mounts),
    paths: asked([...new Set([...mounts, ...of(["path"], PATH)])].slice(0, MOST)),
    devices: [...new Set(of(DEVICE_LABELS, DEVICE))].slice(0, MOST),
  };
}

// Exit codes of `timeout` when it has ended the command.
const TIMED_OUT = ["124", "137"];
const NOT_THERE = /^(No such file or directory|Not a directory)$/;

/** Parses one line of the script: the exit code of `df`, then its output lines, separated by tabs. */
function parseNamed(line: string, path: string, mounts: ReadonlyMap<string, Mount>): NamedPath {
  const [code = "", ...said] = line.split("\t");
  const named = { path, answered: true, filesystem: null };
  if (TIMED_OUT.includes(code)) return { ...named, answered: false };
  if (code === "0") {
    const row = said.map((one) => parseRow(one, 1024, mounts)).findLast((one) => one !== undefined);
    if (row) return { ...named, filesystem: row };
    return { ...named, unread: row === null ? "it reports no size" : "the output of df could not be parsed" };
  }
  const error = said.findLast(isError);
  const { reason = `df ended with exit code ${code || "unknown"}` } = parseError(error ?? "") ?? {};
  return NOT_THERE.test(reason) && !mounts.has(path) ? named : { ...named, unread: inLine(reason) };
}

/** Chooses between the path as given and without its prefix: the first, unless only the second can be meant. */
function better(given: NamedPath, meant: NamedPath): NamedPath {
  const mounted = ({ path, filesystem }: NamedPath) =>
    filesystem !== null && !isWithin(path, filesystem.mount);
  if (mounted(given) || !given.answered) return given;
  const nowhere = given.filesystem === null && given.unread === undefined;
  const found = meant.filesystem !== null || !meant.answered || meant.unread !== undefined;
  return mounted(meant) || (nowhere && found) ? meant : given;
}

/** Parses what `df` answered for the paths of `Named`, in order; keeps one of each pair. Pure. */
export function parseNamedPaths(
  lines: readonly string[],
  paths: readonly string[],
  mounts: ReadonlyMap<string, Mount>,
): NamedPath[] {
  const all = paths.map((path, at) => parseNamed(lines[at] ?? "", path, mounts));
  return inPairs(all, ({ path }) => path).map(([given, meant]) => (meant ? better(given, meant) : given));
}

type FilesystemFacts = { filesystems: readonly Filesystem[]; named: readonly NamedPath[] };

const lastPart = (device: string) => device.slice(device.lastIndexOf("/") + 1);
const isOf = ({ device }: Filesystem, name: string) => name === device || name === lastPart(device);

/** Returns the filesystems that the labels name by a path, mount point or device, of any type. Pure. */
export function namedFilesystems(
  { filesystems, named }: FilesystemFacts,
  { paths, mounts, devices }: NamedFilesystems,
): Filesystem[] {
  // A mount label with nothing mounted there is not about the parent filesystem.
  const byPath = named.flatMap(({ path, filesystem }) =>
    filesystem === null || (mounts.includes(path) && isWithin(path, filesystem.mount)) ? [] : [filesystem],
  );
  const at = (path: string | undefined) => filesystems.find(({ mount }) => mount === path);
  const byMount = inPairs(paths, (path) => path).flatMap(([given, meant]) => at(given) ?? at(meant) ?? []);
  const byDevice = filesystems.filter((one) => devices.some((name) => isOf(one, name)));
  return [...new Map([...byPath, ...byMount, ...byDevice].map((one) => [one.mount, one])).values()];
}

/** Lists the paths that could not be read, each with the reason. */
export const unseen = (named: readonly NamedPath[]): string[] =>
  named.flatMap(({ path, unread }) => (unread === undefined ? [] : [`${inLine(path)} (${unread})`]));

/**
 * Returns the facts without `path` labels that do not exist on the host (they may be of a URL), and with each `/dev/`
 * device of the labels that df does not list added to `named` and `unread`. Pure.
 */
export function forNamedPaths<T extends FilesystemFacts & { unread: string[] }>(
  facts: T,
  { mounts, devices }: NamedFilesystems,
): T {
  const all = [...facts.filesystems, ...facts.named.flatMap(({ filesystem }) => filesystem ?? [])];
  const lost = devices
    .filter((name) => name.startsWith("/dev/") && !all.some((one) => isOf(one, name)))
    .map((path) => ({ path, answered: true, filesystem: null, unread: "df does not list it" }));
  const there = facts.named.filter(
    ({ path, answered, filesystem, unread }) =>
      !answered || filesystem !== null || unread !== undefined || mounts.includes(path),
  );
  return { ...facts, named: [...there, ...lost], unread: [...facts.unread, ...unseen(lost)] };
}
