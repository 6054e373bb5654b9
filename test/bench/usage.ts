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

/** The most memory that a process has had resident, in MiB. */
export function peakMemory(pid: number): number {
  const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}
