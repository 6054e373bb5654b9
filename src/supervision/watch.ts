import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { isActedOn, isRepairedSince } from "../execution/index.ts";
import { clip } from "../lib/clip.ts";
import { addSeconds } from "../lib/clock.ts";
import { plainText } from "../lib/plain-text.ts";
import { endAlert, endOfIncidents, raiseAlert } from "./alert.ts";
import { lockProcess, updateProcess } from "./store.ts";
import type { ProbeAnswer, ProcessRow, ProcessSupervisor, SupervisedProcess } from "./types.ts";

/** The result of a check. `well` is null where health is unknown; `certain`: one such check is enough. */
export type HealthCheck = {
  well: boolean | null;
  certain: boolean;
  why: string;
  pid: number | null;
  probe: ProbeAnswer | null;
};

export async function checkHealth(supervisor: ProcessSupervisor, name: string): Promise<HealthCheck> {
  const [live, probe] = await Promise.all([supervisor.find(name), supervisor.probe(name)]);
  const pid = live?.pid ?? null;
  if (live === null) {
    const others = (await supervisor.copies()).get(name) ?? [];
    const but = `, but pid ${others.join(", ")} that was started for it runs in the background`;
    const why = `it is not running${others.length === 0 ? "" : but}`;
    return { well: false, certain: true, why, pid, probe };
  }
  if (probe?.asked) return { well: probe.ok, certain: false, why: `its probe ${probe.message}`, pid, probe };
  if (live.suspended) return { well: false, certain: false, why: `pid ${pid} is suspended`, pid, probe };
  // A probe that failed on our side is no failure of the process.
  return {
    well: probe === null ? true : null,
    certain: false,
    why: `its probe ${probe?.message}`,
    pid,
    probe,
  };
}

/** A process found broken: why, and after which start. */
export type Failure = { why: string; start: string };

const targetOf = ({ name }: Pick<SupervisedProcess, "name">) => ({ kind: "process" as const, name });

/** Whether the alert was last raised about an earlier start. */
const isAfterOtherStart = ({ told_of }: ProcessRow, start: string) => told_of !== null && told_of !== start;

/** Whether the alert was last sent `again` seconds ago or more, so that it is repeated. */
const isReminderDue = (tx: Ctx, { told_at }: ProcessRow, again: number) =>
  told_at === null || addSeconds(told_at, again) <= tx.clock.now();

/**
 * Records that a process is down and raises its alert, unless a start, stop or execution is in progress (an execution
 * verifies its own effect). A firing alert is repeated after `again` seconds, and when a later start has failed too.
 * Returns true when the outage is new.
 */
export async function recordDown(
  ctx: Ctx,
  process: SupervisedProcess,
  { why, start }: Failure,
  again: number,
): Promise<boolean> {
  const { name } = process;
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, name);
    if (row.state !== "up" && row.state !== "down") return false;
    const told = { told_at: tx.clock.now(), told_of: start };
    const news = row.state === "up" || isAfterOtherStart(row, start);
    if (!news && !isReminderDue(tx, row, again)) return false;
    if (!news) await raiseAlert(tx, process, await updateProcess(tx, name, told));
    else if (await isActedOn(tx, targetOf(process))) return false;
    else {
      // While it is up, `problem` is that of its start.
      const problem = row.state === "down" || row.problem === null ? why : `${why}: ${row.problem}`;
      const down = { state: "down" as const, problem: clip(plainText(problem), 1_000), ...told };
      await raiseAlert(tx, process, await updateProcess(tx, name, down));
    }
    return news;
  });
}

/** Ends the alert and marks the process as up. */
async function endOutage(tx: Ctx, process: Pick<SupervisedProcess, "name">, row: ProcessRow): Promise<void> {
  await endAlert(tx, process, row);
  await updateProcess(tx, process.name, { state: "up", problem: null, told_at: null });
}

/**
 * Ends an outage that was ended elsewhere: a verified repair has restarted the process, or its incident was resolved. When
 * a person resolved it, the outage lasts until the process is started or the reminder is due. Returns true when it ended:
 * a failure from now on is a new outage.
 */
export async function endOutageIfOver(
  ctx: Ctx,
  process: SupervisedProcess,
  start: string,
  again: number,
): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, process.name);
    if (row.state !== "down" || row.told_at === null || (await isActedOn(tx, targetOf(process))))
      return false;
    const anew = isAfterOtherStart(row, start);
    const repaired = anew && (await isRepairedSince(tx, targetOf(process), row.told_at));
    const end = repaired ? null : await endOfIncidents(tx, process.name);
    const ended =
      end !== null && end.at > row.told_at && (anew || !end.byPerson || isReminderDue(tx, row, again));
    if (!repaired && !ended) return false;
    await endOutage(tx, process, row);
    return true;
  });
}

/**
 * Records that a process is well again or no longer watched, and ends its alert; if it was up, clears the problem of its
 * start. Returns true when it was down.
 */
export async function recordUp(ctx: Ctx, process: Pick<SupervisedProcess, "name">): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    const row = await lockProcess(tx, process.name);
    if (row.state === "up" && row.problem !== null) await updateProcess(tx, process.name, { problem: null });
    if (row.state !== "down") return false;
    await endOutage(tx, process, row);
    return true;
  });
}

/** Whether the process is watched. One that the server does not start is watched once it first runs or a person asks for it. */
export const isWatched = (
  { autostart, watch }: SupervisedProcess,
  row: ProcessRow | undefined,
  ran: boolean,
): boolean =>
  watch.enabled && (autostart || ran || row?.state === "down" || (row?.asked_at ?? null) !== null);
