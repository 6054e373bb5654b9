import { lives, type Marks, type SystemProcess } from "./process-table.ts";
import { installationOf, isLogOf, locate, ofThisBoot, recordOf, type Supervised } from "./supervised.ts";

/**
 * A process that was started for a name by this installation. `inTree`: it is the one that its file is of, in its group, or
 * was started by it; `isLeft`: it is in the group of one that has ended.
 */
export type Carrier = Pick<SystemProcess, "pid" | "start_time"> & { inTree: boolean; isLeft: boolean };

type Marked = { process: SystemProcess; marks: Marks };

/** All that lives and what it was started with; empty where the system does not show that. */
async function markedProcesses({ table }: Supervised): Promise<{ all: SystemProcess[]; marked: Marked[] }> {
  const all = (await table.all()).filter(lives);
  const { marks } = table;
  const marked: Marked[] = [];
  // One after the other: a thousand open files at once are more than a server may have.
  for (const one of all) {
    const own = one.pid === process.pid ? undefined : await marks?.(one.pid);
    if (own !== undefined) marked.push({ process: one, marks: own });
  }
  return { all, marked };
}

/**
 * Whether it was started for this name here. Some write over their environment, and some give up their output: one of both
 * is enough, and neither is another installation's.
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

async function among(one: Supervised, { all, marked }: Awaited<ReturnType<typeof markedProcesses>>) {
  const folder = await installationOf(one);
  const own = marked.filter(({ marks }) => isOf(folder, one.config.name, marks));
  if (own.length === 0) return [];
  const live = await locate(one);
  const record = await recordOf(one);
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const ended =
    live === undefined && record !== undefined && ofThisBoot(one, record) ? record.pid : undefined;
  return own.map(({ process: { pid, start_time, group, ...rest } }): Carrier => {
    const it = { pid, start_time, group, ...rest };
    const inTree = live !== undefined && (group === live.pid || descendsFrom(live.pid, it, parents));
    return { pid, start_time, inTree, isLeft: group === ended };
  });
}

/** All that live and were started for this name here. */
export const carriersOf = async (one: Supervised): Promise<Carrier[]> =>
  among(one, await markedProcesses(one));

const outside = (carriers: readonly Carrier[]) => carriers.filter(({ inTree }) => !inTree);

/** Those that live outside of what the process file is of: with them a start would make two. */
export const copiesOf = async (one: Supervised): Promise<Carrier[]> => outside(await carriersOf(one));

/** The pids of the same of several, by one look through all processes; those without any are left out. */
export async function copiesByName(processes: Iterable<Supervised>): Promise<Map<string, number[]>> {
  const all = [...processes];
  const [first] = all;
  if (first?.table.marks === undefined) return new Map();
  const seen = await markedProcesses(first);
  const found = new Map<string, number[]>();
  for (const one of all) {
    const pids = outside(await among(one, seen)).map(({ pid }) => pid);
    if (pids.length > 0) found.set(one.config.name, pids);
  }
  return found;
}

/** What is wrong with a process of which copies live, and what to do; null: there are none. */
export function inBackground(name: string, copies: readonly Pick<Carrier, "pid">[]): string | null {
  if (copies.length === 0) return null;
  const pids = copies.map(({ pid }) => pid).join(", ");
  return `pid ${pids} started for ${name} ${copies.length === 1 ? "lives" : "live"} on outside of its record, and another start would make one more: have the program run in the foreground, and end what is left with awoooi processes stop ${name}`;
}
