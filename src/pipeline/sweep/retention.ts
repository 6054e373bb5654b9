import { DBOS } from "@dbos-inc/dbos-sdk";
import { forgetApprovals } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import type { Forget } from "../../db/forget.ts";
import { forgetDecisions } from "../../decision/index.ts";
import { forgetExecutions } from "../../execution/index.ts";
import { countOldIncidents, forgetIncidents } from "../../incident/index.ts";
import { countOldIntake, forgetIntake, type IntakeRecords } from "../../intake/index.ts";
import { forgetInvestigations } from "../../investigation/index.ts";
import { countOldRepairs, forgetRepairs, forgetSurplusRepairs } from "../../learning/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import { countOldNotices, countOldWork, forgetNotices } from "../../outbox/index.ts";
import { countOldSilences, forgetSilences } from "../../silence/index.ts";

/** How long finished records are kept, in seconds; null: for ever. */
export type RetentionTerms = {
  receipts: number;
  dead_letters: number;
  alerts: number;
  notices: number;
  /** After their end. */
  silences: number;
  repairs: number;
  /** How many repairs of one action on one anomaly are kept, the latest first. */
  repairs_per_key: number;
  workflows: number;
  incidents: number | null;
  /** The most rows that one transaction deletes. */
  batch: number;
};

/** Row counts by table, or by kind of record where a table holds several. */
export type Counts = Record<string, number>;

/** Paces a run: `next` is awaited after each transaction with its duration, and the run stops when it returns false. */
export type Pace = {
  next: (milliseconds: number) => Promise<boolean>;
  /** Called after each transaction, so that deletions are counted even when a later one fails. */
  deleted: (counts: Counts) => void;
};

type Kind = {
  keep: (terms: RetentionTerms) => number | null;
  forget: (ctx: Ctx, input: Forget, terms: RetentionTerms) => Promise<Counts>;
  count: (ctx: Ctx, before: Date, terms: RetentionTerms) => Promise<Counts>;
};

// Final states of a workflow. A waiting or running one is never old.
const ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"] as const;
// DBOS deletes by id, and an incident has many rows: both get smaller batches than plain rows.
const WORKFLOWS = 1_000;
const ROWS_OF_INCIDENT = 50;
// The first transaction is small; the limit then doubles or halves towards this duration.
const FIRST = 100;
const TARGET_MS = 250;

const intake = (what: IntakeRecords, as: IntakeRecords & keyof RetentionTerms): Kind => ({
  keep: (terms) => terms[as],
  forget: async (ctx, input) => ({ [what]: await forgetIntake(ctx, what, input) }),
  count: async (ctx, before) => ({ [what]: await countOldIntake(ctx, what, before) }),
});

/** Deletes the records of later stages about these incidents, in the order of their foreign keys. */
async function dependants(ctx: Ctx, ids: readonly string[]): Promise<Counts> {
  return {
    ...(await forgetExecutions(ctx, ids)),
    ...(await forgetApprovals(ctx, ids)),
    decisions: await forgetDecisions(ctx, ids),
    investigations: await forgetInvestigations(ctx, ids),
  };
}

/** Deletes ended workflows through DBOS, which owns the tables. Its timestamps are the database's own. */
async function forgetWorkflows({ before, limit }: Forget): Promise<number> {
  const ended = await DBOS.listWorkflows({
    status: [...ENDED],
    endTime: before.toISOString(),
    limit: Math.min(limit, WORKFLOWS),
    loadInput: false,
    loadOutput: false,
  });
  if (ended.length > 0) await DBOS.deleteWorkflows(ended.map((one) => one.workflowID));
  return ended.length;
}

/** In this order: an incident is deleted after everything that refers to it. */
const KINDS: readonly Kind[] = [
  intake("receipts", "receipts"),
  intake("source_calls", "receipts"),
  intake("known_alerts", "receipts"),
  intake("dead_letters", "dead_letters"),
  intake("alerts", "alerts"),
  intake("alert_log", "alerts"),
  {
    keep: (terms) => terms.notices,
    forget: async (ctx, input) => ({ notices: await forgetNotices(ctx, input) }),
    count: async (ctx, before) => ({ notices: await countOldNotices(ctx, before) }),
  },
  {
    keep: (terms) => terms.silences,
    forget: async (ctx, input) => ({ silences: await forgetSilences(ctx, input) }),
    count: async (ctx, before) => ({ silences: await countOldSilences(ctx, before) }),
  },
  {
    keep: (terms) => terms.repairs,
    forget: async (ctx, input) => ({ repairs: await forgetRepairs(ctx, input) }),
    count: async (ctx, before, { repairs_per_key: keep }) => ({
      repairs: (await countOldRepairs(ctx, { before, keep })).old,
    }),
  },
  {
    keep: (terms) => terms.repairs,
    forget: async (ctx, { limit }, { repairs_per_key: keep }) => ({
      surplus_repairs: await forgetSurplusRepairs(ctx, keep, limit),
    }),
    count: async (ctx, before, { repairs_per_key: keep }) => ({
      surplus_repairs: (await countOldRepairs(ctx, { before, keep })).surplus,
    }),
  },
  {
    keep: (terms) => terms.workflows,
    forget: async (_ctx, input) => ({ workflows: await forgetWorkflows(input) }),
    count: async (ctx, before) => ({ workflows: await countOldWork(ctx, ENDED, before) }),
  },
  {
    keep: (terms) => terms.incidents,
    forget: (ctx, { before, limit }) =>
      forgetIncidents(ctx, { before, limit: Math.ceil(limit / ROWS_OF_INCIDENT) }, dependants),
    count: async (ctx, before) => ({ incidents: await countOldIncidents(ctx, before) }),
  },
];

const nonZero = (counts: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).filter(([, rows]) => rows > 0));

/**
 * Deletes records past their retention in short transactions. Each leaves a consistent state, so that a run may end
 * anywhere. Concurrent runs are safe: each skips rows that the other has locked.
 */
export async function prune(ctx: Ctx, terms: RetentionTerms, pace: Pace): Promise<void> {
  for (const kind of KINDS) {
    const keep = kind.keep(terms);
    if (keep === null) continue;
    const before = addSeconds(ctx.clock.now(), -keep);
    for (let limit = Math.min(FIRST, terms.batch); ; ) {
      const begun = performance.now();
      const counts = nonZero(await kind.forget(ctx, { before, limit }, terms));
      const took = performance.now() - begun;
      pace.deleted(counts);
      const goOn = await pace.next(took);
      if (!goOn) return;
      if (Object.keys(counts).length === 0) break;
      limit = Math.min(Math.max(Math.round(limit * (took < TARGET_MS ? 2 : 0.5)), 1), terms.batch);
    }
  }
}

/** Returns what a run would delete now; for an incident, only the incident itself is counted. */
export async function countPrunable(ctx: Ctx, terms: RetentionTerms): Promise<Counts> {
  const all: Counts = {};
  for (const kind of KINDS) {
    const keep = kind.keep(terms);
    if (keep === null) continue;
    Object.assign(all, await kind.count(ctx, addSeconds(ctx.clock.now(), -keep), terms));
  }
  return nonZero(all);
}
