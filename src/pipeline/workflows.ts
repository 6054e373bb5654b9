import { DBOS, type DLogger } from "@dbos-inc/dbos-sdk";
import type pg from "pg";
import { requeueLost } from "../execution/index.ts";
import { recordResolution } from "../learning/index.ts";
import { messageOf } from "../lib/error.ts";
import { type Log, logAbout } from "../lib/log.ts";
import { withoutRepetition } from "../lib/log-repetition.ts";
import { FORMER_QUEUE, QUEUE, type QueuedWork } from "../outbox/index.ts";
import { execute, verifyExecution } from "./response/execute.ts";
import { prepare } from "./response/prepare.ts";
import { reassess } from "./response/reassess.ts";
import { step } from "./response/step.ts";
import { supersedeStale } from "./sweep/supersede-stale.ts";
import type { PipelineDeps } from "./types.ts";

/** Returns the current dependencies. Each part of a workflow calls it when it begins, and does not keep the result. */
type Now = () => PipelineDeps;

type Runner<Kind extends QueuedWork["kind"]> = (
  now: Now,
  work: Extract<QueuedWork, { kind: Kind }>,
) => Promise<void>;

/** One workflow for each kind of work; the type requires all of them. */
const RUNNERS: { [Kind in QueuedWork["kind"]]: Runner<Kind> } = {
  investigate: (now, { incident_id, token }) =>
    step("consider", () => reassess(now(), { incident_id, token })),
  prepare: (now, { approval_id }) => prepare(now, approval_id),
  async execute(now, { turn, ...work }) {
    if (turn !== undefined) return execute(now, { ...work, turn });
    // An earlier version with other steps began this workflow: its progress is read from the tables.
    const { incident_id, approval_id } = work;
    await requeueLost(now().as("pipeline"), { incident_id, approval_id });
  },
  verify: (now, work) => verifyExecution(now, work),
  conclude: async (now, work) => {
    await step("record", () => recordResolution(now().as("pipeline"), work));
    await step("supersede", () => supersedeStale(now().as("pipeline"), work.incident_id));
  },
};

const idsOf = ({ incident_id, ...more }: QueuedWork) =>
  "approval_id" in more ? { incident_id, approval_id: more.approval_id } : { incident_id };

/** Runs a piece of work. In a workflow its steps are stored, and it resumes behind them after a crash. */
export function perform(now: Now, work: QueuedWork): Promise<void> {
  const run = RUNNERS[work.kind] as (now: Now, work: QueuedWork) => Promise<void>;
  return logAbout(idsOf(work), () => run(now, work));
}

const KINDS = Object.keys(RUNNERS) as QueuedWork["kind"][];

// DBOS logs whole stacks; that of a failed query quotes every parameter, alerts included.
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
    // DBOS logs every retry with its number, several times a second.
    logger: adapt(withoutRepetition(log, (text) => text.replace(/\d+/g, ""))),
  });
}

/** Creates or migrates the schema `dbos`, without starting any workflow. */
export async function prepareWorkflows(pool: pg.Pool, log: Log): Promise<void> {
  configure(pool, log);
  await DBOS.launch();
  await DBOS.shutdown({ deregister: true });
}

/**
 * Starts the durable workflows, including those left by an earlier process. `pool` is theirs alone; the schema `dbos` is
 * created in it where missing. A process has one set of workflows. Each part of a workflow uses the dependencies that are
 * `current` when it begins.
 */
export async function startWorkflows(current: () => PipelineDeps, pool: pg.Pool, log: Log): Promise<void> {
  for (const kind of KINDS) {
    DBOS.registerWorkflow((work: QueuedWork) => perform(current, work), {
      name: kind,
      maxRecoveryAttempts: 1_000,
    });
  }
  configure(pool, log);
  await DBOS.launch();
  // Enough concurrency per kind of work for a small installation, and little enough for one process and its connection pool.
  await DBOS.registerQueue(QUEUE.name, { partitionWorkerConcurrency: 32, minPollingIntervalMs: 100 });
  await DBOS.registerQueue(FORMER_QUEUE, { workerConcurrency: 32, minPollingIntervalMs: 1_000 });
}

/** Stops taking up work. Unfinished workflows resume at the next start. */
export async function stopWorkflows(): Promise<void> {
  await DBOS.shutdown({ deregister: true });
}
