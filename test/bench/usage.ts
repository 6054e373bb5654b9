import { readdirSync, readFileSync } from "node:fs";

type Process = { pid: number; parent: number; cpu: number };

/** Clock ticks in a second: `getconf CLK_TCK`, which is 100 on every Linux that Node runs on. */
const TICKS = 100;

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const text = readFileSync(`/proc/${name}/stat`, "utf8");
        // The name in parentheses may hold anything.
        const fields = text
          .slice(text.lastIndexOf(")") + 2)
          .split(" ")
          .map(Number);
        const [parent = 0, user = 0, system = 0, childUser = 0, childSystem = 0] = [1, 11, 12, 13, 14].map(
          (at) => fields[at],
        );
        return [{ pid: Number(name), parent, cpu: (user + system + childUser + childSystem) / TICKS }];
      } catch {
        return [];
      }
    });
}

/** CPU seconds that a process and its children have used so far. */
export function cpuSeconds(pid: number): number {
  const all = processes();
  const family = new Set([pid]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const one of all) if (family.has(one.parent)) family.add(one.pid);
  }
  return all.filter((one) => family.has(one.pid)).reduce((sum, one) => sum + one.cpu, 0);
}

const mebibytes = (pid: number, field: string) =>
  Number(new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

/** The most memory that a process has had resident, in MiB. */
export const peakMemory = (pid: number): number => mebibytes(pid, "VmHWM");

/** What a process has resident now, in MiB; of that, what is its own rather than mapped from files. */
export const residentMemory = (pid: number): { all: number; own: number } => ({
  all: mebibytes(pid, "VmRSS"),
  own: mebibytes(pid, "RssAnon"),
});
