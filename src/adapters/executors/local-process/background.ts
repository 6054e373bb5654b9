import type { MarkedProcesses, Marks, SystemProcess } from "./process-table.ts";
import { installationOf, isLogOf, locate, ofThisBoot, recordOf, type Supervised } from "./supervised.ts";

/**
 * A live process that this installation started for a configured name. `inTree`: it is the recorded process, in its group,
 * or its descendant; `isLeft`: the recorded process has ended, and this one is still in its group.
 */
export type Carrier = Pick<SystemProcess, "pid" | "start_time"> & { inTree: boolean; isLeft: boolean };

/**
 * Returns whether a process was started for this name by this installation. Its environment or its log file is enough, as
 * some programs overwrite the one or close the other; a process of another installation has neither.
 */
function isOf(folder: string, name: string, { env, stdout, stderr }: Marks): boolean {
  const named = env.get("AWOOOI_PROCESS");
  if (named === name && env.get("AWOOOI_INSTALLATION") === folder) return true;
  return (named ?? name) === name && (isLogOf(folder, name, stdout) || isLogOf(folder, name, stderr));
}

function descendsFrom(root: number, { pid }: SystemProcess, parents: ReadonlyMap<number, number>): boolean {
  const seen = new Set<number>();
  for (let at: number | undefined = pid; at !== undefined && !seen.has(at); at = parents.get(at)) {
    if (at === root) return true;
    seen.add(at);
  }
  return false;
}

async function among(one: Supervised, { all, marks }: MarkedProcesses): Promise<Carrier[]> {
  const folder = await installationOf(one);
  const own = all.filter(({ pid }) => {
    const found = pid === process.pid ? undefined : marks.get(pid);
    return found !== undefined && isOf(folder, one.config.name, found);
  });
  if (own.length === 0) return [];
  const live = await locate(one);
  const record = await recordOf(one);
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const ended =
    live === undefined && record !== undefined && ofThisBoot(one, record) ? record.pid : undefined;
  return own.map((each) => {
    const { pid, start_time, group } = each;
    const inTree = live !== undefined && (group === live.pid || descendsFrom(live.pid, each, parents));
    return { pid, start_time, inTree, isLeft: group === ended };
  });
}

/** Returns the live processes started for this name here; none where the system does not show environments. */
export async function carriersOf(one: Supervised): Promise<Carrier[]> {
  const seen = await one.table.marked?.();
  return seen === undefined ? [] : among(one, seen);
}

const outside = (carriers: readonly Carrier[]) => carriers.filter(({ inTree }) => !inTree);

/** Returns those outside the recorded process's tree: starting beside them would run the program twice. */
export const copiesOf = async (one: Supervised): Promise<Carrier[]> => outside(await carriersOf(one));

/** Returns the pids of copies by name, from one walk through all processes; names without copies are left out. */
export async function copiesByName(processes: Iterable<Supervised>): Promise<Map<string, number[]>> {
  const all = [...processes];
  const found = new Map<string, number[]>();
  const seen = await all[0]?.table.marked?.();
  if (seen === undefined) return found;
  for (const one of all) {
    const pids = outside(await among(one, seen)).map(({ pid }) => pid);
    if (pids.length > 0) found.set(one.config.name, pids);
  }
  return found;
}

/** Describes the problem of live copies and its remedy; null when there are none. */
export function inBackground(name: string, copies: readonly Pick<Carrier, "pid">[]): string | null {
  if (copies.length === 0) return null;
  const pids = copies.map(({ pid }) => pid).join(", ");
  return `pid ${pids} started for ${name} ${copies.length === 1 ? "runs" : "run"} in the background, so another start would add a second copy: run the program in the foreground, and end these processes with awoooi processes stop ${name}`;
}
