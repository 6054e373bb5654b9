import { DBOS, type DLogger } from "@dbos-inc/dbos-sdk";
import type pg from "pg";
import { recordResolution } from "../learning/index.ts";
import { messageOf } from "../lib/error.ts";
import { type Log, logAbout } from "../lib/log.ts";
import { withoutRepetition } from "../lib/log-repetition.ts";
import { QUEUE, type Work } from "../outbox/index.ts";
import { clearAway } from "./clear-away.ts";
import { consider } from "./consider.ts";
import { execute } from "./execute.ts";
import { prepare } from "./prepare.ts";
import { step } from "./step.ts";
import type { Journey } from "./types.ts";

type Runner<Kind extends Work["kind"]> = (
  journey: Journey,
  work: Extract<Work, { kind: Kind }>,
) => Promise<void>;

/** One workflow for each kind of work: the compiler sees to it that none is missing. */
const RUNNERS: { [Kind in Work["kind"]]: Runner<Kind> } = {
  investigate: (journey, { incident_id, token }) =>
    step("consider", () => consider(journey, { incident_id, token })),
  prepare: (journey, { approval_id }) => prepare(journey, approval_id),
  execute: (journey, { approval_id }) => execute(journey, approval_id),
  conclude: async (journey, work) => {
    await step("record", () => recordResolution(journey.as("pipeline"), work));
    await step("supersede", () => clearAway(journey.as("pipeline"), work.incident_id));
  },
};

const idsOf = ({ incident_id, ...more }: Work) =>
  "approval_id" in more ? { incident_id, approval_id: more.approval_id } : { incident_id };

/** Does a piece of work. In a workflow its steps are kept, and it goes on behind them after a crash. */
export function perform(journey: Journey, work: Work): Promise<void> {
  const run = RUNNERS[work.kind] as (journey: Journey, work: Work) => Promise<void>;
  return logAbout(idsOf(work), () => run(journey, work));
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
 * schema `dbos` is made in it where it is missing. There is one set of workflows in a process. A workflow
 * goes on with the journey that was `current` when it began.
 */
export async function startWorkflows(current: () => Journey, pool: pg.Pool, log: Log): Promise<void> {
  for (const kind of KINDS) {
    DBOS.registerWorkflow((work: Work) => perform(current(), work), {
      name: kind,
      maxRecoveryAttempts: 1_000,
    });
  }
  configure(pool, log);
  await DBOS.launch();
  // Enough to keep a small installation's incidents moving, few enough for one process and its pool.
  await DBOS.registerQueue(QUEUE.name, { workerConcurrency: 32, minPollingIntervalMs: 100 });
}

/** Stops taking up work. Workflows in the middle go on at the next start. */
export async function stopWorkflows(): Promise<void> {
  await DBOS.shutdown({ deregister: true });
}
