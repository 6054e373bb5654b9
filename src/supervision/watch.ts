import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { isActedOn } from "../execution/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { plainText } from "../lib/plain-text.ts";
import { raise, raiseNoMore } from "./alert.ts";
import { lockProcess, updateProcess } from "./store.ts";
import type { ProcessRow, ProcessSupervisor, SupervisedProcess } from "./types.ts";

/** What a look found. `certain`: one look is enough. */
export type Seen = {
  well: boolean;
  certain: boolean;
  why: string;
  pid: number | null;
  probe: { ok: boolean; message: string } | null;
};

export async function look(supervisor: ProcessSupervisor, name: string): Promise<Seen> {
  const [live, probe] = await Promise.all([supervisor.find(name), supervisor.probe(name)]);
  const pid = live?.pid ?? null;
  if (live === null) return { well: false, certain: true, why: "it does not run", pid, probe };
  const why = probe === null ? `pid ${pid} is suspended` : `its probe ${probe.message}`;
  return { well: probe === null ? !live.suspended : probe.ok, certain: false, why, pid, probe };
}

/**
 * Writes down that a process is broken, and raises its alert: unless somebody starts or stops it, or an execution is at it,
 * which looks at its effect itself. An alert that fires is told again after `again` seconds. True: it is new.
 */
export async function fell(
  ctx: Ctx,
  process: SupervisedProcess,
  why: string,
  again: number,
): Promise<boolean> {
  const { name } = process;
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, name);
    if (row.state !== "up" && row.state !== "down") return false;
    const now = tx.clock.now();
    if (row.state === "down") {
      if (row.told_at !== null && addSeconds(row.told_at, again) > now) return false;
      await raise(tx, process, await updateProcess(tx, name, { told_at: now }));
      return false;
    }
    if (await isActedOn(tx, { kind: "process", name })) return false;
    const problem = clip(plainText(row.problem === null ? why : `${why}: ${row.problem}`), 1_000);
    await raise(tx, process, await updateProcess(tx, name, { state: "down", problem, told_at: now }));
    return true;
  });
}

/** Writes down that it is well again, or watched no longer, and ends its alert. True: it was down until now. */
export async function rose(ctx: Ctx, process: Pick<SupervisedProcess, "name">): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, process.name);
    if (row.state !== "down") return false;
    await raiseNoMore(tx, process, row);
    await updateProcess(tx, process.name, { state: "up", problem: null, told_at: null });
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
