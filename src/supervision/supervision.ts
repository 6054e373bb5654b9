import { authorise } from "../access/index.ts";
import type { WireProcess } from "../contract/process.ts";
import type { Ctx } from "../db/ctx.ts";
import { doneTo, type Gateway } from "../execution/index.ts";
import { messageOf } from "../lib/error.ts";
import { wait } from "../lib/wait.ts";
import { type Asked, askProcess } from "./ask.ts";
import { type Acted, carryOut, type Task, writeDown } from "./carry-out.ts";
import { type Judged, judge, miss } from "./judge.ts";
import { isLeft, leave } from "./leave.ts";
import { presentProcess, type Remembered } from "./read.ts";
import { findProcess, processRows } from "./store.ts";
import type { ProcessRow, ProcessSupervisor, ProcessSurvey, SupervisedProcess } from "./types.ts";
import { isWatched, look, rose } from "./watch.ts";

export type SupervisionDeps = {
  /** Of the sweep. */
  ctx: Ctx;
  /** That of the configuration in force. */
  supervisor: () => ProcessSupervisor;
  gateway: Gateway;
  /** Seconds after which an alert that still fires is told again. */
  again: () => number;
  /** By whom each process was stopped on purpose, for people: kept here, and read by what carries out repairs. */
  stopped: Map<string, string>;
};

type Known = Remembered &
  Judged & {
    /** It is to be started because the server is, and was not yet. */
    toStart: boolean;
    /** When it was looked at last: milliseconds of the process's own clock, which nobody sets. */
    looked_at: number;
    /** Its latest start and what executions did to it, as of the latest tick; null: that was not looked up yet. */
    done: string | null;
    acting: Promise<void> | null;
    looking: Promise<void> | null;
    /** How often something was done about it: a look that began before that is of before. */
    acts: number;
    /** What was done and is not written down yet. */
    unwritten: { task: Task; acted: Acted } | null;
    /** The latest look or act met an error of ours, which is told once. */
    failing: boolean;
  };

// Of the end of a server.
const PATIENCE_MS = 10_000;
/** To be looked at at once. */
const NEVER = Number.NEGATIVE_INFINITY;

const stranger = (): Known => ({
  toStart: false,
  ran: false,
  probe: null,
  waits: null,
  failures: 0,
  unseen: null,
  looked_at: NEVER,
  done: null,
  acting: null,
  looking: null,
  acts: 0,
  unwritten: null,
  failing: false,
});

const stoppedBy = ({ asked_by, since }: ProcessRow) => `by ${asked_by ?? "nobody"} at ${since.toISOString()}`;

/**
 * Has processes run as they are to: starts them with the server, starts and stops those that people ask for, and watches
 * them. What must not be lost is in the database; all else is found out again.
 */
export class Supervision {
  readonly #deps: SupervisionDeps;
  readonly #known = new Map<string, Known>();
  #stopping = false;
  #surveying: Promise<ProcessSurvey> | null = null;
  /** Nothing is configured, and nothing is left of what was. */
  #idle = false;

  constructor(deps: SupervisionDeps) {
    this.#deps = deps;
  }

  /** Reads what was stopped on purpose: before anything acts on processes. */
  async begin(): Promise<void> {
    this.#remember(await processRows(this.#deps.ctx));
  }

  /** Begins what is due, without waiting for it. */
  async tick(): Promise<void> {
    const supervisor = this.#deps.supervisor();
    this.#meet(supervisor.processes);
    if (supervisor.processes.length === 0 && this.#idle) return;
    const rows = await processRows(this.#deps.ctx);
    this.#remember(rows);
    await this.#leave(supervisor.processes, rows);
    await this.#notice(supervisor);
    const byName = new Map(rows.map((row) => [row.name, row]));
    for (const process of supervisor.processes) this.#attend(process, byName.get(process.name), supervisor);
    this.#idle = this.#known.size === 0;
  }

  /** Resolves when all is over that a tick has begun. */
  async settled(): Promise<void> {
    await Promise.all([...this.#known.values()].flatMap(({ acting, looking }) => [acting, looking]));
  }

  /**
   * Waits for starts and stops that are under way, for 10 s: what takes longer, as one whose disk hangs, is done again by the next
   * server. What a look finds is not heard any more.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const over = new AbortController();
    const acting = Promise.all([...this.#known.values()].map((known) => known.acting));
    await Promise.race([acting, wait(PATIENCE_MS, over.signal)]);
    over.abort();
  }

  /** Every configured process, in the order of the configuration. */
  async list(ctx: Ctx): Promise<WireProcess[]> {
    authorise(ctx.actor, "list processes", { people: "viewer" });
    const supervisor = this.#deps.supervisor();
    const rows = new Map((await processRows(ctx)).map((row) => [row.name, row]));
    return this.#present(supervisor.processes, rows, supervisor);
  }

  /** Has one started or stopped, as {@link askProcess} says. */
  async ask(ctx: Ctx, asked: Asked): Promise<WireProcess> {
    const supervisor = this.#deps.supervisor();
    // What cannot be looked up is taken for running: then it is looked at again when it is stopped.
    const runs = async (name: string) =>
      (await supervisor.find(name)) !== null || (await supervisor.copies()).has(name);
    const running = { processes: supervisor.processes, runs: (name: string) => runs(name).catch(() => true) };
    const { process, row } = await askProcess(ctx, asked, running, this.#deps.gateway);
    const [shown] = await this.#present([process], new Map([[row.name, row]]), supervisor);
    return shown as WireProcess;
  }

  async #present(
    processes: readonly SupervisedProcess[],
    rows: ReadonlyMap<string, ProcessRow>,
    supervisor: ProcessSupervisor,
  ): Promise<WireProcess[]> {
    const now = this.#deps.ctx.clock.now();
    // Those who ask at the same time share one look: each reads all that runs on the machine.
    this.#surveying ??= supervisor.survey().finally(() => {
      this.#surveying = null;
    });
    const { running, copies } = await this.#surveying;
    return processes.map((one) => {
      const { name } = one;
      const seen = running.get(name) ?? null;
      const known = this.#known.get(name) ?? stranger();
      return presentProcess(one, rows.get(name), known, { seen, now, copies: copies.get(name) ?? [] });
    });
  }

  #remember(rows: readonly ProcessRow[]): void {
    const { stopped } = this.#deps;
    stopped.clear();
    for (const row of rows)
      if (row.state === "stopped" || row.state === "stopping") stopped.set(row.name, stoppedBy(row));
  }

  /** Those that are new here are to be started, at the start of the server and when a reload adds them. */
  #meet(processes: readonly SupervisedProcess[]): void {
    const names = new Set(processes.map(({ name }) => name));
    for (const [name, { acting, unwritten }] of this.#known)
      if (!names.has(name) && acting === null && unwritten === null) this.#known.delete(name);
    for (const { name, autostart } of processes)
      if (!this.#known.has(name)) this.#known.set(name, { ...stranger(), toStart: autostart });
  }

  /** Of what is watched no longer the alert ends: nobody would see that it is well again. Of what is configured no longer, all. */
  async #leave(processes: readonly SupervisedProcess[], rows: readonly ProcessRow[]): Promise<void> {
    const configured = new Map(processes.map((process) => [process.name, process]));
    const left = new Set([...this.#known.keys()].filter((name) => !configured.has(name)));
    for (const row of rows) {
      const process = configured.get(row.name);
      if (process === undefined && isLeft(row)) left.add(row.name);
      if (row.state === "down" && process?.watch.enabled === false) await rose(this.#deps.ctx, process);
    }
    for (const name of left) await this.#drop(name);
  }

  async #drop(name: string): Promise<void> {
    const { ctx } = this.#deps;
    const known = this.#known.get(name);
    // What is under way ends as it was begun, and what was done is written down first.
    if ((known?.acting ?? null) !== null) return;
    if (known?.unwritten) await writeDown(ctx, known.unwritten.task, known.unwritten.acted);
    this.#known.delete(name);
    const dropped = await leave(ctx, name);
    if (dropped !== null)
      ctx.log.warn(
        { process: name },
        `process ${name} is configured no longer: its ${dropped.to}, which ${dropped.by} asked for, is not carried out`,
      );
  }

  /** What was started, or acted on by an execution, is looked at at once, and what was seen of it before counts no more. */
  async #notice(supervisor: ProcessSupervisor): Promise<void> {
    const acts = await doneTo(this.#deps.ctx, "process");
    const notice = async ({ name }: SupervisedProcess) => {
      const known = this.#known.get(name);
      await supervisor.boundLog(name);
      // What cannot be looked up now is looked up by the next tick.
      const start = await supervisor.latestStart(name).catch(() => null);
      if (known === undefined || start === null) return;
      const done = `${start} ${acts.get(name) ?? ""}`;
      if (known.done !== null && known.done !== done) Object.assign(known, { failures: 0, looked_at: NEVER });
      known.done = done;
    };
    await Promise.all(supervisor.processes.map(notice));
  }

  #attend(process: SupervisedProcess, row: ProcessRow | undefined, supervisor: ProcessSupervisor): void {
    const known = this.#known.get(process.name);
    if (known === undefined || known.acting !== null || this.#stopping) return;
    const task = this.#taskOf(process.name, row, known);
    const due = known.looking === null && performance.now() >= known.looked_at + process.watch.interval_ms;
    // One whose start waits, as for the end of a freeze, is looked at meanwhile; never both at once.
    if (task?.asked || (task !== null && known.looking === null && !(known.waits !== null && due))) {
      const acting = this.#guarded(process.name, known, () => this.#act(task, known, supervisor));
      known.acting = acting.finally(() => {
        known.acting = null;
      });
    } else if (due) {
      known.looked_at = performance.now();
      const looking = this.#guarded(process.name, known, () => this.#look(process, known, supervisor));
      known.looking = looking.finally(() => {
        known.looking = null;
      });
    }
  }

  #taskOf(name: string, row: ProcessRow | undefined, known: Known): Task | null {
    if (known.unwritten !== null) return known.unwritten.task;
    if (row?.state === "starting" || row?.state === "stopping") {
      known.toStart = false;
      return { name, to: row.state === "starting" ? "start" : "stop", asked: true };
    }
    if (!known.toStart) return null;
    if (row?.state !== "stopped") return { name, to: "start", asked: false };
    known.toStart = false;
    this.#deps.ctx.log.info(
      { process: name },
      `process ${name} is not started: it was stopped ${stoppedBy(row)}`,
    );
    return null;
  }

  /** An error of ours is told once for each spell of them; the next tick tries again. */
  async #guarded(name: string, known: Known, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      known.failing = false;
    } catch (error) {
      // What went on for longer than a server waits for finds its database closed.
      if (this.#stopping) return;
      if (!known.failing)
        this.#deps.ctx.log.error(
          { process: name, error: messageOf(error) },
          "a process cannot be supervised now",
        );
      known.failing = true;
      miss(known, messageOf(error), this.#deps.ctx.clock.now(), this.#deps.again());
    }
  }

  async #act(task: Task, known: Known, supervisor: ProcessSupervisor): Promise<void> {
    const { ctx, gateway } = this.#deps;
    const { name, to } = task;
    if (known.unwritten === null) {
      const acted = await carryOut(ctx, task, supervisor, gateway);
      if (acted !== "over" && "waits" in acted) {
        if (known.waits !== acted.waits)
          ctx.log.warn({ process: name, reason: acted.waits }, `process ${name}: its ${to} waits`);
        known.waits = acted.waits;
        return;
      }
      known.acts += 1;
      Object.assign(known, { toStart: false, waits: null, failures: 0, looked_at: NEVER });
      if (acted === "over") return;
      this.#tell(task, acted, known);
      known.unwritten = { task, acted };
    }
    // What cannot be written down now is written down later, and not done once more for that.
    await writeDown(ctx, known.unwritten.task, known.unwritten.acted);
    known.unwritten = null;
  }

  #tell({ name, to, asked }: Task, { pid, problem, changed }: Acted, known: Known): void {
    const { log } = this.#deps.ctx;
    if (to === "start" && pid !== null) known.ran = true;
    const did = to === "start" ? "started" : "stopped";
    if (problem !== null) log.warn({ process: name, problem }, `process ${name} was not ${did}`);
    else if (changed)
      log.info({ process: name, ...(pid === null ? {} : { pid }) }, `${did} process ${name}, pid ${pid}`);
    else if (!asked) log.info({ process: name, pid }, `process ${name} runs already, pid ${pid}`);
  }

  async #look(process: SupervisedProcess, known: Known, supervisor: ProcessSupervisor): Promise<void> {
    const { ctx, again } = this.#deps;
    const { acts } = known;
    const start = await supervisor.latestStart(process.name);
    const seen = await look(supervisor, process.name);
    // What was begun meanwhile has changed what was looked at.
    if (this.#stopping || known.acts !== acts || known.acting !== null) return;
    if ((await supervisor.latestStart(process.name)) !== start) return;
    known.probe = seen.probe === null ? null : { ...seen.probe, at: ctx.clock.now().toISOString() };
    if (seen.pid !== null) known.ran = true;
    const row = await findProcess(ctx, process.name);
    if (!isWatched(process, row, known.ran)) {
      known.unseen = null;
      return;
    }
    await judge(ctx, process, known, { seen, start, row }, again());
  }
}
