import { vi } from "vitest";
import type { Db } from "../../src/db/client.ts";
import { isUnavailable } from "../../src/db/failure.ts";
import type { PipelineDeps } from "../../src/pipeline/index.ts";
import { createDatabase, type TestDatabase } from "./database.ts";
import { type Mishaps, SimulatedEngine } from "./engine.ts";
import { startIdleEngine } from "./idle-engine.ts";
import { holdsAlways, holdsFinally, nextDeadline } from "./invariants.ts";
import { Life } from "./life.ts";
import { makePerson, testPipelineDeps } from "./pipeline-deps.ts";
import { SEED, seededRandom } from "./random.ts";
import { Dice, Simulation } from "./simulation.ts";

const DAY = 86_400;
const SWEEP_EVERY = 5;

/** `AWOOOI_TEST_YEAR_TROUBLES` makes the year as busy as there is time for. */
export const TROUBLES = Number(process.env.AWOOOI_TEST_YEAR_TROUBLES ?? 50);

export type YearOptions = {
  days: number;
  troubles: number;
  services: number;
  sweep: (deps: PipelineDeps) => Promise<void>;
  mishaps: Mishaps & {
    /** That a transaction fails for want of its database, before its commit or after it. */
    database: number;
    /** Days between two restarts, and between two jumps of the clock, on the average. */
    restart_days: number;
    jump_days: number;
  };
};

/** The database as it is on a bad day: some transactions are not made, and of some it is not said that they were. */
function unreliable(db: Db, dice: Dice, probability: number): Db {
  const away = () => Object.assign(new Error("Connection terminated unexpectedly"), { code: "08006" });
  return new Proxy(db, {
    get(target, name) {
      if (name !== "transaction") return Reflect.get(target, name, target) as unknown;
      return async (...given: Parameters<Db["transaction"]>) => {
        if (dice.chance(probability)) throw away();
        const result = await target.transaction(...given);
        if (dice.chance(probability)) throw away();
        return result;
      };
    },
  });
}

/** One life of an installation, from its first alert until everything has come to its end. */
export class Year {
  readonly #options: YearOptions;
  readonly #simulation = new Simulation("2026-01-01T00:00:00.000Z");
  readonly #dice = new Dice(seededRandom(`${SEED}:year`));
  #database!: TestDatabase;
  #endEngine = async () => {};
  #life!: Life;
  #engine!: SimulatedEngine;
  #deps!: PipelineDeps;
  #sweeps = 0;
  #failed = 0;

  constructor(options: YearOptions) {
    this.#options = options;
  }

  /** Throws with the name of the first invariant that is broken, and when. Returns what happened. */
  async run(): Promise<Record<string, number>> {
    await this.#open();
    try {
      await this.#live(this.#options.days * DAY);
      this.#life.end();
      // The longest that anything may take from now on: an incident's life, and then until it is closed.
      await this.#live((this.#options.days + 16) * DAY);
      await holdsFinally(this.#database);
      return await this.#counts();
    } catch (error) {
      const when = this.#simulation.clock.now().toISOString();
      throw new Error(`${error instanceof Error ? error.message : error} (${when}, seed ${SEED})`, {
        cause: error,
      });
    } finally {
      await this.#close();
    }
  }

  async #open(): Promise<void> {
    const { mishaps, troubles, days, services } = this.#options;
    const { clock } = this.#simulation;
    this.#database = await createDatabase();
    // Launched without its queue: what it would do is done on simulated time.
    this.#endEngine = await startIdleEngine(this.#database);
    const people = [];
    for (const name of ["ada", "bob"])
      people.push(await makePerson(this.#database.ctx(undefined, clock), name, "approver"));
    this.#life = new Life(this.#database, this.#simulation, this.#dice, people, services);
    this.#engine = new SimulatedEngine(this.#database, this.#simulation, this.#dice, mishaps);
    const plain = testPipelineDeps(this.#database, clock);
    const db = unreliable(this.#database.db, this.#dice, mishaps.database);
    // What is bounded by real time is never reached: what hangs here hangs on simulated time.
    const never = 10 * DAY;
    this.#deps = {
      ...plain,
      as: (name) => ({ ...plain.as(name), db }),
      known: { processes: this.#life.names },
      approval: { ...plain.approval, required_signatures: { low: 1, medium: 2, high: 2, critical: 2 } },
      run: {
        ...plain.run,
        timeout: never,
        gateway: () => ({ ...plain.run.gateway(), executors: [this.#life.executor], read_timeout: never }),
      },
      observers: [this.#life.observer],
      verification: { wait: 10, collect: 0, interval: 0, healthy_in_a_row: 1, look_timeout: never },
    };
    this.#life.begin(this.#deps, this.#engine, troubles, days);
    const again = (mean: number, run: () => void) => {
      const next = () => {
        run();
        this.#simulation.after(this.#dice.until(mean * DAY), next);
      };
      this.#simulation.after(this.#dice.until(mean * DAY), next);
    };
    again(mishaps.restart_days, () => this.#engine.restart());
    again(mishaps.jump_days, () => this.#simulation.jump(this.#dice.chance(0.5) ? -3_600 : DAY));
  }

  async #close(): Promise<void> {
    vi.restoreAllMocks();
    await this.#endEngine();
    await this.#database.drop();
  }

  /** From moment to moment: an event, or the first sweep after something was due. */
  async #live(until: number): Promise<void> {
    const { clock } = this.#simulation;
    while (this.#simulation.elapsed < until) {
      const now = clock.now();
      const due = await nextDeadline(this.#database, now);
      const toSweep =
        due === null ? DAY : Math.ceil((due.getTime() - now.getTime()) / 1000 / SWEEP_EVERY) * SWEEP_EVERY;
      await this.#simulation.advance(Math.min(toSweep, until - this.#simulation.elapsed + 1));
      await this.#moment();
      await this.#sweep();
      await this.#moment();
      if (this.#failed === 0) await holdsAlways(this.#database, clock.now(), SWEEP_EVERY);
    }
  }

  async #moment(): Promise<void> {
    await this.#life.takeIn();
    await this.#engine.work(this.#deps);
    await this.#life.listen();
  }

  /** A sweep that fails is made again five seconds later, and may fail once more. */
  async #sweep(): Promise<void> {
    this.#sweeps += 1;
    try {
      await this.#options.sweep(this.#deps);
      this.#failed = 0;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#failed += 1;
      this.#simulation.after(SWEEP_EVERY, () => {});
    }
  }

  async #counts(): Promise<Record<string, number>> {
    const { rows } = await this.#database.pool.query<Record<string, number>>(
      `select (select count(*)::int from incidents) as incidents, (select sum(resolution)::int from incidents) as resolutions,
              (select count(*)::int from approvals) as approvals, (select count(*)::int from executions) as executions,
              (select count(*)::int from repair_records where success) as repairs,
              (select count(*)::int from repair_records where not held) as not_held,
              (select count(*)::int from audit_entries) as audit_entries`,
    );
    const { crashes, bugs, runs } = this.#engine;
    const acted = [...this.#life.acted.keys()];
    const known = await this.#database.pool.query<{ id: string }>(
      "select execution_id as id from repair_records",
    );
    const learnt = new Set(known.rows.map((row) => row.id));
    const unknown = acted.filter((id) => !learnt.has(id));
    if (unknown.length > 0)
      throw new Error(`everything that the executor did was learnt from: ${unknown.slice(0, 5)}`);
    return { ...this.#life.counts, ...rows[0], sweeps: this.#sweeps, runs, crashes, bugs };
  }
}
