import type { Filesystem, HostFacts } from "./facts.ts";

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
  paths: string[];
  /** Of these, the ones that are certainly meant as paths there. */
  mounts: string[];
  devices: string[];
};

/** The paths and devices that the labels name, four of each kind at most. Pure. */
export function namedIn(labels: readonly Readonly<Record<string, string>>[]): Named {
  const of = (names: readonly string[], form: RegExp) => {
    const values = labels.flatMap((one) => names.map((name) => (Object.hasOwn(one, name) ? one[name] : "")));
    return values.filter((value) => value !== undefined && form.test(value)) as string[];
  };
  const paths = (names: readonly string[]) =>
    of(names, PATH).map((path) => path.replace(SEEN_THROUGH, "") || "/");
  const mounts = [...new Set(paths(MOUNT_LABELS))].slice(0, MOST);
  return {
    mounts,
    paths: [...new Set([...mounts, ...paths(["path"])])].slice(0, MOST),
    devices: [...new Set(of(DEVICE_LABELS, DEVICE))].slice(0, MOST),
  };
}

const lastPart = (device: string) => device.slice(device.lastIndexOf("/") + 1);

/** The filesystems that the labels name, whatever their kind: by a path on it or by its device. Pure. */
export function namedFilesystems(facts: HostFacts, { devices }: Named): Filesystem[] {
  const byPath = facts.named.flatMap(({ filesystem }) => filesystem ?? []);
  const byDevice = facts.filesystems.filter(({ device }) =>
    devices.some((one) => one === device || one === lastPart(device)),
  );
  return [...new Map([...byPath, ...byDevice].map((one) => [one.mount, one])).values()];
}

// Images that are written once: they are full by their nature.
const IMAGE = /^(squashfs|erofs|iso9660|udf|cramfs|romfs)$/;
export const isImage = ({ type }: Filesystem): boolean => IMAGE.test(type);

/** The filesystem that a path is on: the one with the longest mount point before it. Pure. */
export function mountOf(path: string, all: readonly Filesystem[]): string | undefined {
  const fits = all.filter(({ mount }) => mount === "/" || path === mount || path.startsWith(`${mount}/`));
  return fits.sort((a, b) => b.mount.length - a.mount.length)[0]?.mount;
}
