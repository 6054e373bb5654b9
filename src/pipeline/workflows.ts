import { DBOS, type DLogger } from "@dbos-inc/dbos-sdk";
import type pg from "pg";
import { takeOver } from "../execution/index.ts";
import { recordResolution } from "../learning/index.ts";
import { messageOf } from "../lib/error.ts";
import { type Log, logAbout } from "../lib/log.ts";
import { withoutRepetition } from "../lib/log-repetition.ts";
import { FORMER_QUEUE, QUEUE, type Work } from "../outbox/index.ts";
import { execute, verifyExecution } from "./response/execute.ts";
import { prepare } from "./response/prepare.ts";
import { reassess } from "./response/reassess.ts";
import { step } from "./response/step.ts";
import { supersedeStale } from "./sweep/supersede-stale.ts";
import type { PipelineDeps } from "./types.ts";

/** The journey of this moment: a part of a workflow asks for it when it begins, and no part keeps it for the next. */
type Now = () => PipelineDeps;

type Runner<Kind extends Work["kind"]> = (now: Now, work: Extract<Work, { kind: Kind }>) => Promise<void>;

/** One workflow for each kind of work: the compiler sees to it that none is missing. */
const RUNNERS: { [Kind in Work["kind"]]: Runner<Kind> } = {
  investigate: (now, { incident_id, token }) =>
    step("consider", () => reassess(now(), { incident_id, token })),
  prepare: (now, { approval_id }) => prepare(now, approval_id),
  async execute(now, { turn, ...work }) {
    if (turn !== undefined) return execute(now, { ...work, turn });
    // A version before this one began it, with parts of another order: what it came to is in the tables.
    const { incident_id, approval_id } = work;
    await takeOver(now().as("pipeline"), { incident_id, approval_id });
  },
  verify: (now, work) => verifyExecution(now, work),
  conclude: async (now, work) => {
    await step("record", () => recordResolution(now().as("pipeline"), work));
    await step("supersede", () => supersedeStale(now().as("pipeline"), work.incident_id));
  },
};

const idsOf = ({ incident_id, ...more }: Work) =>
  "approval_id" in more ? { incident_id, approval_id: more.approval_id } : { incident_id };

/** Does a piece of work. In a workflow its steps are kept, and it goes on behind them after a crash. */
export function perform(now: Now, work: Work): Promise<void> {
  const run = RUNNERS[work.kind] as (now: Now, work: Work) => Promise<void>;
  return logAbout(idsOf(work), () => run(now, work));
}

const KINDS = Object.keys(RUNNERS) as Work["kind"][];

// The engine logs whole stacks; that of a failed query quotes every parameter, alerts and all.
const PARAMETERS = /(Failed query: [\s\S]*?)\nparams: [\s\S]*?(?=\n {4}at |$)/g;

function adapt(log: Log): DLogger {
  const text = (entry: unknown) =>
    (entry instanceof Error ? messageOf(entry) : String(entry)).replace(PARAMETERS, "$1");
  return {
    debug: (entry) => log.debug({ part: "workflows" }, text(entry)),
    info: (entry) => log.debug({ part: "workflows" }, text(entry)),
    warn: (entry) => log.warn({ part: "workflows" }, text(entry)),
    error: (entry, more) => log.error({ part: "workflows", stack: more?.stack }, text(entry)),
  };
}

function configure(pool: pg.Pool, log: Log): void {
  DBOS.setConfig({
    name: QUEUE.application,
    systemDatabasePool: pool,
    applicationVersion: QUEUE.version,
    executorID: "awoooi",
    enablePatching: true,
    // It tells of every attempt, with its number, several times a second.
    logger: adapt(withoutRepetition(log, (text) => text.replace(/\d+/g, ""))),
  });
}

/** Makes the schema `dbos` where it is missing, or brings it up to date, and starts nothing of ours. */
export async function prepareWorkflows(pool: pg.Pool, log: Log): Promise<void> {
  configure(pool, log);
  await DBOS.launch();
  await DBOS.shutdown({ deregister: true });
}

/**
 * Starts the durable workflows, those that an earlier process left included. `pool` is theirs; the
 * schema `dbos` is made in it where it is missing. There is one set of workflows in a process. Each part of a
 * workflow goes by the dependencies that are `current` when it begins.
 */
export async function startWorkflows(current: () => PipelineDeps, pool: pg.Pool, log: Log): Promise<void> {
  for (const kind of KINDS) {
    DBOS.registerWorkflow((work: Work) => perform(current, work), {
      name: kind,
      maxRecoveryAttempts: 1_000,
    });
  }
  configure(pool, log);
  await DBOS.launch();
  // For each kind of work enough to keep a small installation's incidents moving, few enough for one process and its pool.
  await DBOS.registerQueue(QUEUE.name, { partitionWorkerConcurrency: 32, minPollingIntervalMs: 100 });
  await DBOS.registerQueue(FORMER_QUEUE, { workerConcurrency: 32, minPollingIntervalMs: 1_000 });
}

/** Stops taking up work. Workflows in the middle go on at the next start. */
export async function stopWorkflows(): Promise<void> {
  await DBOS.shutdown({ deregister: true });
}
