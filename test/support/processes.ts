import { readdirSync, readFileSync } from "node:fs";

export type Process = { pid: number; parent: number; name: string };

/** All processes below this one, as Linux knows them. */
export function descendants(pid: number): Process[] {
  const all = readdirSync("/proc").flatMap((entry) => (/^\d+$/.test(entry) ? read(entry) : []));
  const below = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(pid);
}

function read(entry: string): Process[] {
  try {
    // "17 (a (strange) name) S 1 …"
    const text = readFileSync(`/proc/${entry}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const [, parent] = text.slice(end + 2).split(" ");
    return [{ pid: Number(entry), parent: Number(parent), name: text.slice(text.indexOf("(") + 1, end) }];
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** SIGKILL to each that is still there. */
export function killAll(processes: readonly Process[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }
}
