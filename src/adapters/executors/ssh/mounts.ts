import { type Filesystem, isError, isWithin, type Mount, parseError, parseRow } from "./filesystems.ts";
import { inLine } from "./text.ts";

// As node_exporter, cAdvisor, Datadog, Netdata and Zabbix call them. A `path`, which Telegraf means so, may be of a URL.
const MOUNT_LABELS = ["mountpoint", "mount_point", "mount"];
const DEVICE_LABELS = ["device", "disk"];
// What monitors in a container see the host's own folders under.
const SEEN_THROUGH = /^\/(rootfs|hostfs|host\/root|host)(?=\/|$)/;
const PATH = /^\/[^\0\n\r]{0,1000}$/;
const DEVICE = /^[\w./:@-]{1,200}$/;
const MOST = 4;

/** What the labels of alerts say of where on a host. Hostile: devices are compared, paths are shown to `df` alone. */
export type Named = {
  /** After one that a monitor in a container may have written, the host's own. */
  paths: string[];
  /** Of these, the ones that are certainly meant as paths there. */
  mounts: string[];
  devices: string[];
};

/** What is known of a filesystem that was asked about by a path on it. */
export type NamedPath = {
  path: string;
  /** False: it hangs. */
  answered: boolean;
  /** Null where nothing is there, where it hangs, and where it could not be looked at. */
  filesystem: Filesystem | null;
  /** Why it could not be looked at. */
  unread?: string;
};

/** What monitors in a container mean by such a path; undefined: it is no such path. */
function hostPath(path: string): string | undefined {
  return SEEN_THROUGH.test(path) ? path.replace(SEEN_THROUGH, "") || "/" : undefined;
}

/** What is there of paths in their order, each with that of the one which it may mean. */
function inPairs<T>(all: readonly T[], pathOf: (one: T) => string): [T, T?][] {
  const [first, second, ...rest] = all;
  if (first === undefined) return [];
  if (second === undefined) return [[first]];
  const pair = hostPath(pathOf(first)) === pathOf(second);
  return pair
    ? [[first, second], ...inPairs(rest, pathOf)]
    : [[first], ...inPairs([second, ...rest], pathOf)];
}

/** The paths and devices that the labels name, four of each kind at most. Pure. */
export function namedIn(labels: readonly Readonly<Record<string, string>>[]): Named {
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

// What `timeout` ends with when it has ended the command.
const TIMED_OUT = ["124", "137"];
const NOT_THERE = /^(No such file or directory|Not a directory)$/;

/** One line of the script: the exit code of `df`, then what it said, line by line. */
function parseNamed(line: string, path: string, mounts: ReadonlyMap<string, Mount>): NamedPath {
  const [code = "", ...said] = line.split("\t");
  const named = { path, answered: true, filesystem: null };
  if (TIMED_OUT.includes(code)) return { ...named, answered: false };
  if (code === "0") {
    const row = said.map((one) => parseRow(one, 1024, mounts)).findLast((one) => one !== undefined);
    if (row) return { ...named, filesystem: row };
    return { ...named, unread: row === null ? "it has no size" : "what df says has another form" };
  }
  const error = said.findLast(isError);
  const { reason = `df ended with exit code ${code || "unknown"}` } = parseError(error ?? "") ?? {};
  return NOT_THERE.test(reason) && !mounts.has(path) ? named : { ...named, unread: inLine(reason) };
}

/** Of a path as it was given and the one it may mean: the first unless only the second can be meant. */
function better(given: NamedPath, meant: NamedPath): NamedPath {
  const mounted = ({ path, filesystem }: NamedPath) =>
    filesystem !== null && !isWithin(path, filesystem.mount);
  if (mounted(given) || !given.answered) return given;
  const nowhere = given.filesystem === null && given.unread === undefined;
  const found = meant.filesystem !== null || !meant.answered || meant.unread !== undefined;
  return mounted(meant) || (nowhere && found) ? meant : given;
}

/** What `df` says of the paths of `Named`, in their order; one of those that mean the same. Pure. */
export function parseNamedPaths(
  lines: readonly string[],
  paths: readonly string[],
  mounts: ReadonlyMap<string, Mount>,
): NamedPath[] {
  const all = paths.map((path, at) => parseNamed(lines[at] ?? "", path, mounts));
  return inPairs(all, ({ path }) => path).map(([given, meant]) => (meant ? better(given, meant) : given));
}

type Seen = { filesystems: readonly Filesystem[]; named: readonly NamedPath[] };

const lastPart = (device: string) => device.slice(device.lastIndexOf("/") + 1);
const isOf = ({ device }: Filesystem, name: string) => name === device || name === lastPart(device);

/** The filesystems that the labels name, whatever their kind: by a path on it, its mount point or device. Pure. */
export function namedFilesystems(
  { filesystems, named }: Seen,
  { paths, mounts, devices }: Named,
): Filesystem[] {
  // A folder where something was to be mounted is not what the alert is about.
  const byPath = named.flatMap(({ path, filesystem }) =>
    filesystem === null || (mounts.includes(path) && isWithin(path, filesystem.mount)) ? [] : [filesystem],
  );
  const at = (path: string | undefined) => filesystems.find(({ mount }) => mount === path);
  const byMount = inPairs(paths, (path) => path).flatMap(([given, meant]) => at(given) ?? at(meant) ?? []);
  const byDevice = filesystems.filter((one) => devices.some((name) => isOf(one, name)));
  return [...new Map([...byPath, ...byMount, ...byDevice].map((one) => [one.mount, one])).values()];
}

/** Those that could not be looked at, and why. */
export const unseen = (named: readonly NamedPath[]): string[] =>
  named.flatMap(({ path, unread }) => (unread === undefined ? [] : [`${inLine(path)} (${unread})`]));

/**
 * Facts with what the labels certainly mean: without a path that is nowhere, which may be of a URL, and with each
 * disk that df lists nothing of. Pure.
 */
export function meantBy<T extends Seen & { unread: string[] }>(facts: T, { mounts, devices }: Named): T {
  const all = [...facts.filesystems, ...facts.named.flatMap(({ filesystem }) => filesystem ?? [])];
  const lost = devices
    .filter((name) => name.startsWith("/dev/") && !all.some((one) => isOf(one, name)))
    .map((path) => ({ path, answered: true, filesystem: null, unread: "df lists nothing of it" }));
  const there = facts.named.filter(
    ({ path, answered, filesystem, unread }) =>
      !answered || filesystem !== null || unread !== undefined || mounts.includes(path),
  );
  return { ...facts, named: [...there, ...lost], unread: [...facts.unread, ...unseen(lost)] };
}
