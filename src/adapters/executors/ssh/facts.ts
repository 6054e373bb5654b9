import { type Certificate, parseCertificates } from "./certificates.ts";
import { inLine } from "./text.ts";

export type Filesystem = {
  device: string;
  mount: string;
  /** As the kernel calls it, as `ext4`; empty where it is not known. */
  type: string;
  size: number;
  free: number;
  used_percent: number;
};
/** What `df` says of a path that was asked about: null where nothing is there; `answered` false: it hangs. */
export type NamedPath = { path: string; answered: boolean; filesystem: Filesystem | null };
export type ProcessFact = {
  pid: number;
  parent: number;
  state: string;
  /** Of one core, in percent, since its start. */
  cpu: number;
  memory: number;
  /** Seconds since its start. */
  age: number;
  name: string;
};
export type ContainerFact = { name: string; state: string; status: string; image: string };

/** What was read of a host. Bytes; null and empty lists where something could not be read. */
export type HostFacts = {
  kernel: string;
  /** Seconds since 1970, by the host's own clock. */
  clock: number | null;
  uptime: number | null;
  load: [number, number, number] | null;
  cores: number | null;
  memory: { total: number; available: number; swap_total: number; swap_free: number } | null;
  /** Of disks. */
  filesystems: Filesystem[];
  named: NamedPath[];
  inodes: Filesystem[];
  read_only: string[];
  processes: ProcessFact[];
  failed_units: string[];
  clock_synchronised: boolean | null;
  /** Lines of the kernel about memory that ran out, with the uptime at which it did. */
  out_of_memory: { at: number | null; text: string }[];
  containers: ContainerFact[];
  certificates: Certificate[];
  /** Sections that came back empty, where something is always there. */
  unread: string[];
};

// What is no disk: it is full, or read-only, by its nature.
const NO_DISK =
  /^(tmpfs|devtmpfs|overlay|squashfs|udev|none|shm|proc|sysfs|cgroup\d?|efivarfs|ramfs|fuse.*|nsfs|iso9660)$/;
const NOT_LOOKED_AT = /^\/(proc|sys|dev|run|snap|var\/lib\/docker\/(overlay2|containers)|var\/snap)(\/|$)/;

/** The parts of the output, by name. Only lines that begin with this very mark divide it. */
function sections(text: string, mark: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith(`${mark} `)) {
      lines = [];
      found.set(line.slice(mark.length + 1), lines);
    } else if (line.trim() !== "") lines.push(line);
  }
  return found;
}

/** Types by mount point; the kernel writes blanks in it as `\040`. */
function typesOf(mounts: readonly string[]): ReadonlyMap<string, string> {
  const plain = (text: string) =>
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return new Map(
    mounts.map((line) => {
      const [, mount = "", type = ""] = line.split(" ");
      return [plain(mount), type] as const;
    }),
  );
}

function filesystem(line: string, unit: number, types: ReadonlyMap<string, string>): Filesystem | undefined {
  const [, device = "", size = "", , free = "", percent = "", mount = ""] =
    /^(\S+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(\d+)%\s+(\/.*)$/.exec(line) ?? [];
  if (mount === "" || size === "0") return undefined;
  return {
    device: inLine(device),
    mount: inLine(mount),
    type: inLine(types.get(mount) ?? "", 40),
    size: Number(size) * unit,
    free: Number(free) * unit,
    used_percent: Number(percent),
  };
}

const isDisk = ({ device, mount }: Filesystem) => !NO_DISK.test(device) && !NOT_LOOKED_AT.test(mount);

function filesystems(
  lines: readonly string[],
  unit: number,
  types: ReadonlyMap<string, string>,
): Filesystem[] {
  return lines.flatMap((line) => filesystem(line, unit, types) ?? []).filter(isDisk);
}

// What `timeout` ends with when it has ended the command.
const TIMED_OUT = ["124", "137"];

function named(
  lines: readonly string[],
  paths: readonly string[],
  types: ReadonlyMap<string, string>,
): NamedPath[] {
  return paths.flatMap((path, at): NamedPath[] => {
    const [code = "", said = ""] = (lines[at] ?? "").split("\t");
    if (code === "") return [];
    const found = code === "0" ? (filesystem(said, 1024, types) ?? null) : null;
    return [{ path, answered: !TIMED_OUT.includes(code), filesystem: found }];
  });
}

function readOnly(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [device = "", mount = "", type = "", options = ""] = line.split(" ");
    const written = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "jfs"].includes(type);
    const disk = written && device.startsWith("/") === (type !== "zfs") && !NOT_LOOKED_AT.test(mount);
    return disk && options.split(",").includes("ro") ? [inLine(mount)] : [];
  });
}

function memory(lines: readonly string[]): HostFacts["memory"] {
  const values = new Map<string, number>();
  for (const line of lines) {
    const [, name, kilobytes] = /^(\w+):\s+(\d+) kB$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(kilobytes) * 1024);
  }
  const total = values.get("MemTotal");
  const available = values.get("MemAvailable");
  if (total === undefined || available === undefined) return null;
  return {
    total,
    available,
    swap_total: values.get("SwapTotal") ?? 0,
    swap_free: values.get("SwapFree") ?? 0,
  };
}

function processes(lines: readonly string[]): ProcessFact[] {
  return lines.flatMap((line) => {
    const [, pid, parent, state = "", cpu, rss, age, name = ""] =
      /^\s*(\d+)\s+(\d+)\s+(\S+)\s+([\d.]+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined) return [];
    const numbers = { pid: Number(pid), parent: Number(parent), cpu: Number(cpu), age: Number(age) };
    return [{ ...numbers, state, memory: Number(rss) * 1024, name: inLine(name, 60) }];
  });
}

function system(lines: readonly string[]): Pick<HostFacts, "kernel" | "clock" | "uptime" | "load" | "cores"> {
  const uptime = lines.map((line) => /^(\d+\.\d+) \d+\.\d+$/.exec(line)?.[1]).find(Boolean);
  const loads = lines.map((line) => /^([\d.]+) ([\d.]+) ([\d.]+) \d+\/\d+ \d+$/.exec(line)).find(Boolean);
  const whole = lines.slice(1).map((line) => /^\d+$/.exec(line.trim())?.[0]);
  const numbers = whole.flatMap((one) => (one === undefined ? [] : [Number(one)]));
  return {
    kernel: inLine(lines[0] ?? ""),
    clock: numbers.find((one) => one > 1e6) ?? null,
    uptime: uptime === undefined ? null : Number(uptime),
    load: loads ? [Number(loads[1]), Number(loads[2]), Number(loads[3])] : null,
    cores: numbers.find((one) => one > 0 && one <= 1e6) ?? null,
  };
}

function synchronised(lines: readonly string[]): boolean | null {
  const said = lines.map((line) => /^NTPSynchronized=(yes|no)$/.exec(line.trim())?.[1]).find(Boolean);
  return said === undefined ? null : said === "yes";
}

function kernel(lines: readonly string[]): HostFacts["out_of_memory"] {
  return lines.map((line) => {
    const at = /^\s*\[\s*(\d+\.\d+)\]/.exec(line)?.[1];
    return { at: at === undefined ? null : Number(at), text: inLine(line, 300) };
  });
}

/** Makes facts of what the script has printed for these `paths`. Pure; never throws, whatever a host says. */
export function parseFacts(text: string, mark: string, paths: readonly string[] = []): HostFacts {
  const found = sections(text, mark);
  const of = (name: string) => found.get(name) ?? [];
  const always = ["system", "memory", "disk", "mounts", "processes"];
  const containers = of("containers").map((line) => {
    const [name = "", state = "", status = "", image = ""] = line.split("\t").map((one) => inLine(one));
    return { name, state, status, image };
  });
  const types = typesOf(of("mounts"));
  return {
    ...system(of("system")),
    memory: memory(of("memory")),
    filesystems: filesystems(of("disk").slice(1), 1024, types),
    named: named(of("named"), paths, types),
    inodes: filesystems(of("inodes").slice(1), 1, types),
    read_only: readOnly(of("mounts")),
    processes: processes(of("processes")),
    failed_units: of("units").flatMap(
      (line) => inLine(line.replace(/^[^\w]*/, "").split(/\s+/)[0] ?? "") || [],
    ),
    clock_synchronised: synchronised(of("clock")),
    out_of_memory: kernel(of("kernel")),
    containers: containers.filter(({ name, state }) => name !== "" && state !== ""),
    certificates: parseCertificates(of("certificates").join("\n")),
    unread: [...always.filter((name) => of(name).length === 0), ...(found.has("end") ? [] : ["the end"])],
  };
}
