import { type Certificate, parseCertificates } from "./certificates.ts";
import { inLine } from "./text.ts";

export type Filesystem = { device: string; mount: string; size: number; free: number; used_percent: number };
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
  filesystems: Filesystem[];
  inodes: Filesystem[];
  read_only: string[];
  processes: ProcessFact[];
  failed_units: string[];
  clock_synchronised: boolean | null;
  /** Lines of the kernel about memory that ran out, with the uptime at which it did. */
  out_of_memory: { at: number | null; text: string }[];
  containers: ContainerFact[];
  biggest: { path: string; bytes: number }[];
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

function filesystems(lines: readonly string[], unit: number): Filesystem[] {
  return lines.flatMap((line) => {
    const [, device = "", size = "", , free = "", percent = "", mount = ""] =
      /^(\S+)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(\d+)%\s+(\/.*)$/.exec(line) ?? [];
    if (mount === "" || size === "0" || NO_DISK.test(device) || NOT_LOOKED_AT.test(mount)) return [];
    const used_percent = Number(percent);
    return [
      {
        device: inLine(device),
        mount: inLine(mount),
        size: Number(size) * unit,
        free: Number(free) * unit,
        used_percent,
      },
    ];
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

/** Makes facts of what the script has printed. Pure; never throws, whatever a host says. */
export function parseFacts(text: string, mark: string): HostFacts {
  const found = sections(text, mark);
  const of = (name: string) => found.get(name) ?? [];
  const always = ["system", "memory", "disk", "mounts", "processes"];
  const containers = of("containers").map((line) => {
    const [name = "", state = "", status = "", image = ""] = line.split("\t").map((one) => inLine(one));
    return { name, state, status, image };
  });
  const biggest = of("biggest").flatMap((line) => {
    const [, size, path] = /^(\d+)\s+(\/.*)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ path: inLine(path), bytes: Number(size) * 1024 }];
  });
  return {
    ...system(of("system")),
    memory: memory(of("memory")),
    filesystems: filesystems(of("disk").slice(1), 1024),
    inodes: filesystems(of("inodes").slice(1), 1),
    read_only: readOnly(of("mounts")),
    processes: processes(of("processes")),
    failed_units: of("units").flatMap(
      (line) => inLine(line.replace(/^[^\w]*/, "").split(/\s+/)[0] ?? "") || [],
    ),
    clock_synchronised: synchronised(of("clock")),
    out_of_memory: kernel(of("kernel")),
    containers: containers.filter(({ name, state }) => name !== "" && state !== ""),
    biggest,
    certificates: parseCertificates(of("certificates").join("\n")),
    unread: [...always.filter((name) => of(name).length === 0), ...(found.has("end") ? [] : ["the end"])],
  };
}
