import { inLine } from "../text.ts";
import { type Certificate, parseCertificates } from "./certificates.ts";
import { type Filesystem, type Mount, mountsOf, parseList, readOnly } from "./filesystems.ts";
import { type NamedPath, parseNamedPaths, unseen } from "./mounts.ts";

type ProcessFact = {
  pid: number;
  parent: number;
  state: string;
  /** CPU use since its start, in percent of one core. */
  cpu: number;
  memory: number;
  /** Seconds since its start. */
  age: number;
  name: string;
};
type ContainerFact = { name: string; state: string; status: string; image: string };

/** What was read of a host. Sizes in bytes; null or an empty list where something could not be read. */
export type HostFacts = {
  kernel: string;
  /** Seconds since 1970, by the host's own clock. */
  clock: number | null;
  uptime: number | null;
  load: [number, number, number] | null;
  cores: number | null;
  memory: { total: number; available: number; swap_total: number; swap_free: number } | null;
  mounts: Mount[];
  /** Filesystems of disks only; `named` has any type. */
  filesystems: Filesystem[];
  named: NamedPath[];
  inodes: Filesystem[];
  read_only: string[];
  processes: ProcessFact[];
  failed_units: string[];
  clock_synchronised: boolean | null;
  /** Kernel log lines about out-of-memory, with the uptime in seconds at which each was written. */
  out_of_memory: { at: number | null; text: string }[];
  containers: ContainerFact[];
  certificates: Certificate[];
  /** What could not be read or parsed, in words; none of it may count as healthy. */
  unread: string[];
};

/** Splits the output into its sections by name, at the lines that begin with `mark`. */
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

/** Returns the sections that are empty although every host has something there: they must not count as healthy. */
function silent(found: ReadonlyMap<string, string[]>, facts: Omit<HostFacts, "unread">): string[] {
  const { load, cores, uptime, memory: now, filesystems, processes: all, mounts } = facts;
  const none: [string, boolean][] = [
    ["system", load === null || cores === null || uptime === null],
    ["memory", now === null],
    ["disk", filesystems.length === 0],
    ["inodes", found.get("inodes")?.length === 0],
    ["mounts", mounts.length === 0],
    ["processes", all.length === 0],
    ["the end", !found.has("end")],
  ];
  return none.filter(([, is]) => is).map(([name]) => name);
}

/** Parses the script's output for these `paths`. Pure; never throws, whatever the host printed. */
export function parseFacts(text: string, mark: string, paths: readonly string[] = []): HostFacts {
  const found = sections(text, mark);
  const of = (name: string) => found.get(name) ?? [];
  const containers = of("containers").map((line) => {
    const [name = "", state = "", status = "", image = ""] = line.split("\t").map((one) => inLine(one));
    return { name, state, status, image };
  });
  const mounts = mountsOf(of("mounts"));
  const disk = parseList("disk", of("disk"), 1024, mounts);
  const inodes = parseList("inodes", of("inodes"), 1, mounts);
  const named = parseNamedPaths(of("named"), paths, mounts);
  const facts = {
    ...system(of("system")),
    memory: memory(of("memory")),
    mounts: [...mounts.values()],
    filesystems: disk.filesystems,
    named,
    inodes: inodes.filesystems,
    read_only: readOnly(mounts),
    processes: processes(of("processes")),
    failed_units: of("units").flatMap(
      (line) => inLine(line.replace(/^[^\w]*/, "").split(/\s+/)[0] ?? "") || [],
    ),
    clock_synchronised: synchronised(of("clock")),
    out_of_memory: kernel(of("kernel")),
    containers: containers.filter(({ name, state }) => name !== "" && state !== ""),
    certificates: parseCertificates(of("certificates").join("\n")),
  };
  const failed = of("failed").map((line) => inLine(line));
  const unread = [...silent(found, facts), ...failed, ...disk.unread, ...inodes.unread, ...unseen(named)];
  return { ...facts, unread: [...new Set(unread)] };
}
