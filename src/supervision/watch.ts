import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { isActedOn, isRepairedSince } from "../execution/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { plainText } from "../lib/plain-text.ts";
import { endOfIncidents, raise, raiseNoMore } from "./alert.ts";
import { lockProcess, updateProcess } from "./store.ts";
import type { ProbeAnswer, ProcessRow, ProcessSupervisor, SupervisedProcess } from "./types.ts";

/** What a look found. `well` is null where that cannot be told; `certain`: one look is enough. */
export type Seen = {
  well: boolean | null;
  certain: boolean;
  why: string;
  pid: number | null;
  probe: ProbeAnswer | null;
};

export async function look(supervisor: ProcessSupervisor, name: string): Promise<Seen> {
  const [live, probe] = await Promise.all([supervisor.find(name), supervisor.probe(name)]);
  const pid = live?.pid ?? null;
  if (live === null) {
    const others = (await supervisor.copies()).get(name) ?? [];
    const but = `, but pid ${others.join(", ")} that was started for it does: it has put itself into the background`;
    const why = `it does not run${others.length === 0 ? "" : but}`;
    return { well: false, certain: true, why, pid, probe };
  }
  if (probe?.asked) return { well: probe.ok, certain: false, why: `its probe ${probe.message}`, pid, probe };
  if (live.suspended) return { well: false, certain: false, why: `pid ${pid} is suspended`, pid, probe };
  // What we could not ask is no failure of the process.
  return {
    well: probe === null ? true : null,
    certain: false,
    why: `its probe ${probe?.message}`,
    pid,
    probe,
  };
}

/** Seen broken: why, and after which start. */
export type Broken = { why: string; start: string };

const targetOf = ({ name }: Pick<SupervisedProcess, "name">) => ({ kind: "process" as const, name });

/** Whether what was told is of an earlier start. */
const isAnew = ({ told_of }: ProcessRow, start: string) => told_of !== null && told_of !== start;

/** Whether its alert has fired for so long, in seconds, that it is told again. */
const isForgotten = (tx: Ctx, { told_at }: ProcessRow, again: number) =>
  told_at === null || addSeconds(told_at, again) <= tx.clock.now();

/**
 * Writes down that a process is broken, and raises its alert: unless somebody starts or stops it, or an execution is at it,
 * which looks at its effect itself. An alert that fires is told again after `again` seconds, and when a later start has
 * come to nothing, too. True: that is news.
 */
export async function fell(
  ctx: Ctx,
  process: SupervisedProcess,
  { why, start }: Broken,
  again: number,
): Promise<boolean> {
  const { name } = process;
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, name);
    if (row.state !== "up" && row.state !== "down") return false;
    const told = { told_at: tx.clock.now(), told_of: start };
    const news = row.state === "up" || isAnew(row, start);
    if (!news && !isForgotten(tx, row, again)) return false;
    if (!news) await raise(tx, process, await updateProcess(tx, name, told));
    else if (await isActedOn(tx, targetOf(process))) return false;
    else {
      // Of one that is up a problem is that of its start.
      const problem = row.state === "down" || row.problem === null ? why : `${why}: ${row.problem}`;
      const down = { state: "down" as const, problem: clip(plainText(problem), 1_000), ...told };
      await raise(tx, process, await updateProcess(tx, name, down));
    }
    return news;
  });
}

/** Ends its alert, and has it for well. */
async function endOutage(tx: Ctx, process: Pick<SupervisedProcess, "name">, row: ProcessRow): Promise<void> {
  await raiseNoMore(tx, process, row);
  await updateProcess(tx, process.name, { state: "up", problem: null, told_at: null });
}

/**
 * Ends the outage of a process where others have: a repair was verified after which it was started, or its incident was
 * resolved otherwise. By hand, people know that it is broken: until it is started, or they are to be reminded.
 * True: what is broken from now on is an outage of its own.
 */
export async function settled(
  ctx: Ctx,
  process: SupervisedProcess,
  start: string,
  again: number,
): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, process.name);
    if (row.state !== "down" || row.told_at === null || (await isActedOn(tx, targetOf(process))))
      return false;
    const anew = isAnew(row, start);
    const repaired = anew && (await isRepairedSince(tx, targetOf(process), row.told_at));
    const end = repaired ? null : await endOfIncidents(tx, process.name);
    const ended =
      end !== null && end.at > row.told_at && (anew || !end.byPerson || isForgotten(tx, row, again));
    if (!repaired && !ended) return false;
    await endOutage(tx, process, row);
    return true;
  });
}

/**
 * Writes down that it is well again, or watched no longer, and ends its alert; of one that was up, what was wrong with its
 * start is over. True: it was down until now.
 */
export async function rose(ctx: Ctx, process: Pick<SupervisedProcess, "name">): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, process.name);
    if (row.state === "up" && row.problem !== null) await updateProcess(tx, process.name, { problem: null });
    if (row.state !== "down") return false;
    await endOutage(tx, process, row);
    return true;
  });
}

/** Whether its own watch has a say: what the server does not start by itself is watched from when it first runs. */
export const isWatched = (
  { autostart, watch }: SupervisedProcess,
  row: ProcessRow | undefined,
  ran: boolean,
): boolean =>
  watch.enabled && (autostart || ran || row?.state === "down" || (row?.asked_at ?? null) !== null);
