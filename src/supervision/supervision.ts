import { authorise } from "../access/index.ts";
import type { WireProcess } from "../contract/process.ts";
import type { Ctx } from "../db/ctx.ts";
import { type Gateway, latestActsOn } from "../execution/index.ts";
import { messageOf } from "../lib/error.ts";
import { wait } from "../lib/wait.ts";
import { evaluateWatch, noteUnknown, type WatchState } from "./evaluate-watch.ts";
import { forgetRemoved, hasLeftovers } from "./forget-removed.ts";
import { type ObservedState, presentProcess } from "./read.ts";
import { requestStartStop, type StartStopRequest } from "./request-start-stop.ts";
import { type Acted, recordOutcome, startOrStop, type Task } from "./start-or-stop.ts";
import { findProcess, processRows } from "./store.ts";
import type { ProcessRow, ProcessSupervisor, ProcessSurvey, SupervisedProcess } from "./types.ts";
import { checkHealth, isWatched, recordUp } from "./watch.ts";

export type SupervisionDeps = {
  /** Acts as the sweep. */
  ctx: Ctx;
  /** Returns the supervisor of the configuration in force. */
  supervisor: () => ProcessSupervisor;
  gateway: Gateway;
  /** Seconds after which an alert that still fires is repeated. */
  again: () => number;
  /** For each process stopped on purpose, by whom, as text. Written here, and read by the executor of repairs. */
  stopped: Map<string, string>;
};

type ProcessState = ObservedState &
  WatchState & {
    /** It is to be started because the server has started, and was not yet. */
    toStart: boolean;
    /** When it was last checked, in milliseconds of the monotonic clock. */
    looked_at: number;
    /** Its latest start and the executions on it, as of the latest tick; null: not looked up yet. */
    done: string | null;
    acting: Promise<void> | null;
    looking: Promise<void> | null;
    /** Number of actions on it: a check that began before the latest one is outdated. */
    acts: number;
    /** A result not yet recorded. */
    unwritten: { task: Task; acted: Acted } | null;
    /** The latest check or action hit an internal error, which is logged once. */
    failing: boolean;
  };

// How long the server waits at its own end.
const PATIENCE_MS = 10_000;
/** Due for a check at once. */
const NEVER = Number.NEGATIVE_INFINITY;

const initialState = (): ProcessState => ({
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

const stoppedBy = ({ asked_by, since }: ProcessRow) =>
  `by ${asked_by ?? "unknown"} at ${since.toISOString()}`;

/**
 * Supervises processes: starts them with the server, starts and stops them on request, and watches them. What must not be
 * lost is in the database; everything else is determined again.
 */
export class Supervision {
  readonly #deps: SupervisionDeps;
  readonly #known = new Map<string, ProcessState>();
  #stopping = false;
  #surveying: Promise<ProcessSurvey> | null = null;
  /** No process is configured, and no state is left to clear. */
  #idle = false;

  constructor(deps: SupervisionDeps) {
    this.#deps = deps;
  }

  /** Reads which processes were stopped on purpose. Call it before anything acts on processes. */
  async begin(): Promise<void> {
    this.#rememberStopped(await processRows(this.#deps.ctx));
  }

  /** Starts the actions and checks that are due, without waiting for them. */
  async tick(): Promise<void> {
    const supervisor = this.#deps.supervisor();
    this.#addNew(supervisor.processes);
    if (supervisor.processes.length === 0 && this.#idle) return;
    const rows = await processRows(this.#deps.ctx);
    this.#rememberStopped(rows);
    await this.#forgetRemoved(supervisor.processes, rows);
    await this.#resetAfterStart(supervisor);
    const byName = new Map(rows.map((row) => [row.name, row]));
    for (const process of supervisor.processes) this.#schedule(process, byName.get(process.name), supervisor);
    this.#idle = this.#known.size === 0;
  }

  /** Resolves when everything that ticks have begun has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#known.values()].flatMap(({ acting, looking }) => [acting, looking]));
  }

  /**
   * Waits up to 10 s for starts and stops in progress; one that takes longer (a hung disk) is repeated by the next server.
   * The results of checks in progress are discarded.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const over = new AbortController();
    const acting = Promise.all([...this.#known.values()].map((known) => known.acting));
    await Promise.race([acting, wait(PATIENCE_MS, over.signal)]);
    over.abort();
  }

  /** Returns every configured process, in the order of the configuration. */
  async list(ctx: Ctx): Promise<WireProcess[]> {
    authorise(ctx.actor, "list processes", { people: "viewer" });
    const supervisor = this.#deps.supervisor();
    const rows = new Map((await processRows(ctx)).map((row) => [row.name, row]));
    return this.#present(supervisor.processes, rows, supervisor);
  }

  /** Requests a start or stop, see {@link requestStartStop}. */
  async ask(ctx: Ctx, asked: StartStopRequest): Promise<WireProcess> {
    const supervisor = this.#deps.supervisor();
    // A process that cannot be looked up is assumed to run: it is looked up again when it is stopped.
    const runs = async (name: string) =>
      (await supervisor.find(name)) !== null || (await supervisor.copies()).has(name);
    const running = { processes: supervisor.processes, runs: (name: string) => runs(name).catch(() => true) };
    const { process, row } = await requestStartStop(ctx, asked, running, this.#deps.gateway);
    const [shown] = await this.#present([process], new Map([[row.name, row]]), supervisor);
    return shown as WireProcess;
  }

  async #present(
    processes: readonly SupervisedProcess[],
    rows: ReadonlyMap<string, ProcessRow>,
    supervisor: ProcessSupervisor,
  ): Promise<WireProcess[]> {
    const now = this.#deps.ctx.clock.now();
    // Concurrent callers share one survey: each reads all processes of the machine.
    this.#surveying ??= supervisor.survey().finally(() => {
      this.#surveying = null;
    });
    const { running, copies } = await this.#surveying;
    return processes.map((one) => {
      const { name } = one;
      const seen = running.get(name) ?? null;
      const known = this.#known.get(name) ?? initialState();
      return presentProcess(one, rows.get(name), known, { seen, now, copies: copies.get(name) ?? [] });
    });
  }

  #rememberStopped(rows: readonly ProcessRow[]): void {
    const { stopped } = this.#deps;
    stopped.clear();
    for (const row of rows)
      if (row.state === "stopped" || row.state === "stopping") stopped.set(row.name, stoppedBy(row));
  }

  /** Processes new to this server are to be started: at its start, and when a reload adds them. */
  #addNew(processes: readonly SupervisedProcess[]): void {
    const names = new Set(processes.map(({ name }) => name));
    for (const [name, { acting, unwritten }] of this.#known)
      if (!names.has(name) && acting === null && unwritten === null) this.#known.delete(name);
    for (const { name, autostart } of processes)
      if (!this.#known.has(name)) this.#known.set(name, { ...initialState(), toStart: autostart });
  }

  /**
   * Ends the alert of a process that is no longer watched, which nothing else would end, and clears all state of one that
   * is no longer configured.
   */
  async #forgetRemoved(processes: readonly SupervisedProcess[], rows: readonly ProcessRow[]): Promise<void> {
    const configured = new Map(processes.map((process) => [process.name, process]));
    const left = new Set([...this.#known.keys()].filter((name) => !configured.has(name)));
    for (const row of rows) {
      const process = configured.get(row.name);
      if (process === undefined && hasLeftovers(row)) left.add(row.name);
      if (row.state === "down" && process?.watch.enabled === false) await recordUp(this.#deps.ctx, process);
    }
    for (const name of left) await this.#drop(name);
  }

  async #drop(name: string): Promise<void> {
    const { ctx } = this.#deps;
    const known = this.#known.get(name);
    // An action in progress ends as it began, and its result is recorded first.
    if ((known?.acting ?? null) !== null) return;
    if (known?.unwritten) await recordOutcome(ctx, known.unwritten.task, known.unwritten.acted);
    this.#known.delete(name);
    const dropped = await forgetRemoved(ctx, name);
    if (dropped !== null)
      ctx.log.warn(
        { process: name },
        `process ${name} is no longer configured: its ${dropped.to}, requested by ${dropped.by}, is not carried out`,
      );
  }

  /** A process that was started, or that an execution acted on, is checked at once, and its earlier failures are reset. */
  async #resetAfterStart(supervisor: ProcessSupervisor): Promise<void> {
    const acts = await latestActsOn(this.#deps.ctx, "process");
    const resetAfterStart = async ({ name }: SupervisedProcess) => {
      const known = this.#known.get(name);
      await supervisor.boundLog(name);
      // If that fails, the next tick looks it up.
      const start = await supervisor.latestStart(name).catch(() => null);
      if (known === undefined || start === null) return;
      const done = `${start} ${acts.get(name) ?? ""}`;
      if (known.done !== null && known.done !== done) Object.assign(known, { failures: 0, looked_at: NEVER });
      known.done = done;
    };
    await Promise.all(supervisor.processes.map(resetAfterStart));
  }

  #schedule(process: SupervisedProcess, row: ProcessRow | undefined, supervisor: ProcessSupervisor): void {
    const known = this.#known.get(process.name);
    if (known === undefined || known.acting !== null || this.#stopping) return;
    const task = this.#taskOf(process.name, row, known);
    const due = known.looking === null && performance.now() >= known.looked_at + process.watch.interval_ms;
    // A process whose start waits (for the end of a freeze, say) is checked meanwhile; never both at once.
    if (task?.asked || (task !== null && known.looking === null && !(known.waits !== null && due))) {
      const acting = this.#logErrors(process.name, known, () => this.#act(task, known, supervisor));
      known.acting = acting.finally(() => {
        known.acting = null;
      });
    } else if (due) {
      known.looked_at = performance.now();
      const looking = this.#logErrors(process.name, known, () => this.#check(process, known, supervisor));
      known.looking = looking.finally(() => {
        known.looking = null;
      });
    }
  }

  #taskOf(name: string, row: ProcessRow | undefined, known: ProcessState): Task | null {
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

  /** Logs an internal error once per run of consecutive errors; the next tick tries again. */
  async #logErrors(name: string, known: ProcessState, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      known.failing = false;
    } catch (error) {
      // Work that outlives the server's wait finds the database closed.
      if (this.#stopping) return;
      if (!known.failing)
        this.#deps.ctx.log.error(
          { process: name, error: messageOf(error) },
          "a process cannot be supervised now",
        );
      known.failing = true;
      noteUnknown(known, messageOf(error), this.#deps.ctx.clock.now(), this.#deps.again());
    }
  }

  async #act(task: Task, known: ProcessState, supervisor: ProcessSupervisor): Promise<void> {
    const { ctx, gateway } = this.#deps;
    const { name, to } = task;
    if (known.unwritten === null) {
      const acted = await startOrStop(ctx, task, supervisor, gateway);
      if (acted !== "over" && "waits" in acted) {
        if (known.waits !== acted.waits)
          ctx.log.warn({ process: name, reason: acted.waits }, `process ${name}: its ${to} is waiting`);
        known.waits = acted.waits;
        return;
      }
      known.acts += 1;
      Object.assign(known, { toStart: false, waits: null, failures: 0, looked_at: NEVER });
      if (acted === "over") return;
      this.#logResult(task, acted, known);
      known.unwritten = { task, acted };
    }
    // If recording fails, it is retried later, without repeating the action.
    await recordOutcome(ctx, known.unwritten.task, known.unwritten.acted);
    known.unwritten = null;
  }

  #logResult({ name, to, asked }: Task, { pid, problem, changed }: Acted, known: ProcessState): void {
    const { log } = this.#deps.ctx;
    if (to === "start" && pid !== null) known.ran = true;
    const did = to === "start" ? "started" : "stopped";
    if (problem !== null) log.warn({ process: name, problem }, `process ${name} was not ${did}`);
    else if (changed)
      log.info({ process: name, ...(pid === null ? {} : { pid }) }, `${did} process ${name}, pid ${pid}`);
    else if (!asked) log.info({ process: name, pid }, `process ${name} is already running, pid ${pid}`);
  }

  async #check(
    process: SupervisedProcess,
    known: ProcessState,
    supervisor: ProcessSupervisor,
  ): Promise<void> {
    const { ctx, again } = this.#deps;
    const { acts } = known;
    const start = await supervisor.latestStart(process.name);
    const seen = await checkHealth(supervisor, process.name);
    // An action or start since then makes this check outdated.
    if (this.#stopping || known.acts !== acts || known.acting !== null) return;
    if ((await supervisor.latestStart(process.name)) !== start) return;
    known.probe = seen.probe === null ? null : { ...seen.probe, at: ctx.clock.now().toISOString() };
    if (seen.pid !== null) known.ran = true;
    const row = await findProcess(ctx, process.name);
    if (!isWatched(process, row, known.ran)) {
      known.unseen = null;
      return;
    }
    await evaluateWatch(ctx, process, known, { seen, start, row }, again());
  }
}
