import { AsyncLocalStorage } from "node:async_hooks";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { vi } from "vitest";
import { isUnavailable } from "../../src/db/failure.ts";
import type { QueuedWork } from "../../src/outbox/index.ts";
import type { PipelineDeps } from "../../src/pipeline/index.ts";
import { perform } from "../../src/pipeline/workflows.ts";
import type { TestDatabase } from "./database.ts";
import type { Dice, Simulation } from "./simulation.ts";

type Task = { id: string; gone: boolean };

const CRASH = new Error("the process was killed");
const never = () => new Promise<never>(() => {});

export type Mishaps = {
  /** That a step's process is killed before or after it. */
  crash: number;
  /** That a step meets a bug, which ends its workflow with an error. */
  bug: number;
};

/**
 * The workflow engine on simulated time: takes up what is enqueued in its own table, waits by the
 * simulation's clock, and runs what a killed process left from its beginning, as if no step had been kept.
 * The real one repeats less.
 */
export class SimulatedEngine {
  readonly #database: TestDatabase;
  readonly #simulation: Simulation;
  readonly #dice: Dice;
  readonly #mishaps: Mishaps;
  readonly #current = new AsyncLocalStorage<Task>();
  #tasks = new Set<Task>();
  crashes = 0;
  bugs = 0;
  runs = 0;

  constructor(database: TestDatabase, simulation: Simulation, dice: Dice, mishaps: Mishaps) {
    this.#database = database;
    this.#simulation = simulation;
    this.#dice = dice;
    this.#mishaps = mishaps;
    vi.spyOn(DBOS, "runStep").mockImplementation((work) => this.#step(work));
  }

  #task(): Task {
    const task = this.#current.getStore();
    if (task === undefined) throw new Error("this is no workflow");
    return task;
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    if (this.#task().gone) return never();
    if (this.#dice.chance(this.#mishaps.crash)) throw CRASH;
    if (this.#dice.chance(this.#mishaps.bug)) throw new Error("a bug");
    const result = await this.#untilAvailable(work);
    if (this.#dice.chance(this.#mishaps.crash)) throw CRASH;
    return result;
  }

  async #untilAvailable<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isUnavailable(error)) throw error;
      }
    }
  }

  sleep(seconds: number): Promise<void> {
    const task = this.#task();
    return task.gone ? never() : this.#simulation.sleep(seconds, () => !task.gone);
  }

  /** Ends the running task as a kill in the middle of it does: nothing of it goes on. */
  killHere(): Promise<never> {
    const task = this.#task();
    this.#takeUpAgain(task);
    this.#simulation.leave();
    return never();
  }

  /** Ends everything as a restart of the server does; only what sleeps is alive between two moments. */
  restart(): void {
    for (const task of this.#tasks) this.#takeUpAgain(task);
  }

  #takeUpAgain(task: Task): void {
    this.crashes += 1;
    task.gone = true;
    this.#tasks.delete(task);
    // Most are back at once; some only when what was signed is good no longer.
    const away = this.#dice.chance(0.7) ? this.#dice.between(1, 30) : this.#dice.between(300, 2_400);
    this.#simulation.after(away, () => this.#set(task.id, "ENQUEUED"));
  }

  async #set(id: string, status: string): Promise<void> {
    await this.#database.pool.query(
      "update dbos.workflow_status set status = $2 where workflow_uuid = $1 and status <> 'SUCCESS'",
      [id, status],
    );
  }

  /** What is to be done later is enqueued when its time has come. */
  async #timeLater(): Promise<void> {
    const { rows } = await this.#database.pool.query<{ id: string; seconds: number }>(
      `with later as (
         select workflow_uuid as id, (delay_until_epoch_ms - created_at) / 1000.0 as seconds from dbos.workflow_status
          where status = 'DELAYED' and delay_until_epoch_ms is not null),
       timed as (
         update dbos.workflow_status set delay_until_epoch_ms = null from later where workflow_uuid = id)
       select id, seconds::float8 from later`,
    );
    for (const { id, seconds } of rows) this.#simulation.after(seconds, () => this.#set(id, "ENQUEUED"));
  }

  /** Takes up what is enqueued, and what that enqueues, until all of it has ended or sleeps. */
  async work(deps: PipelineDeps): Promise<void> {
    for (;;) {
      const { rows } = await this.#database.pool.query<{ id: string; inputs: string }>(
        `update dbos.workflow_status s set status = 'PENDING' from dbos.workflow_input i
          where s.status = 'ENQUEUED' and i.workflow_uuid = s.workflow_uuid
          returning s.workflow_uuid as id, i.inputs`,
      );
      if (rows.length === 0) return this.#timeLater();
      for (const { id, inputs } of rows) this.#simulation.begin(() => this.#run(deps, id, inputs));
      await this.#simulation.settle();
    }
  }

  async #run(deps: PipelineDeps, id: string, inputs: string): Promise<void> {
    const task: Task = { id, gone: false };
    this.#tasks.add(task);
    this.runs += 1;
    const work = (JSON.parse(inputs) as { positionalArgs: [QueuedWork] }).positionalArgs[0];
    try {
      await this.#current.run(task, () => perform(() => deps, work));
      await this.#set(id, "SUCCESS");
    } catch (error) {
      if (error === CRASH) return this.#takeUpAgain(task);
      if (!(error instanceof Error && error.message === "a bug")) throw error;
      this.bugs += 1;
      await this.#set(id, "ERROR");
    }
    this.#tasks.delete(task);
  }
}
