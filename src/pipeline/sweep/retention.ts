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

/** How long what is final is kept, in seconds; null for ever. */
export type RetentionTerms = {
  receipts: number;
  dead_letters: number;
  alerts: number;
  notices: number;
  /** After their end. */
  silences: number;
  repairs: number;
  /** The latest repairs of one action on one anomaly that are kept. */
  repairs_per_key: number;
  workflows: number;
  incidents: number | null;
  /** The most rows that one transaction deletes. */
  batch: number;
};

/** Rows by table, or by what they are where one table holds several things. */
export type Counts = Record<string, number>;

/** What decides how a run goes on: it stops when `next` says so, which is asked after each transaction. */
export type Pace = {
  next: (milliseconds: number) => Promise<boolean>;
  /** Told after each transaction, so that what was deleted is known also when a later one fails. */
  deleted: (counts: Counts) => void;
};

type Kind = {
  keep: (terms: RetentionTerms) => number | null;
  forget: (ctx: Ctx, input: Forget, terms: RetentionTerms) => Promise<Counts>;
  count: (ctx: Ctx, before: Date, terms: RetentionTerms) => Promise<Counts>;
};

// What a workflow can end as. One that waits or runs is never old.
const ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"] as const;
// The engine takes ids, and an incident has many rows: fewer at a time than of plain rows.
const WORKFLOWS = 1_000;
const ROWS_OF_INCIDENT = 50;
// The first transaction is small, and each next one grows or shrinks to take about this long.
const FIRST = 100;
const TARGET_MS = 250;

const intake = (what: IntakeRecords, as: IntakeRecords & keyof RetentionTerms): Kind => ({
  keep: (terms) => terms[as],
  forget: async (ctx, input) => ({ [what]: await forgetIntake(ctx, what, input) }),
  count: async (ctx, before) => ({ [what]: await countOldIntake(ctx, what, before) }),
});

/** What later stages know of these incidents, in the order in which rows name one another. */
async function dependants(ctx: Ctx, ids: readonly string[]): Promise<Counts> {
  return {
    ...(await forgetExecutions(ctx, ids)),
    ...(await forgetApprovals(ctx, ids)),
    decisions: await forgetDecisions(ctx, ids),
    investigations: await forgetInvestigations(ctx, ids),
  };
}

/** Through the engine, whose tables they are. Its times are the database's own. */
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

/** In this order: an incident goes after all that names it. */
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
 * Deletes what has been kept for its time, in short transactions: each leaves a whole state behind, so a
 * run may end anywhere. Two at once do no harm: each passes over what the other has locked.
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

/** What a run would delete now; of an incident's own rows only the incident is counted. */
export async function countPrunable(ctx: Ctx, terms: RetentionTerms): Promise<Counts> {
  const all: Counts = {};
  for (const kind of KINDS) {
    const keep = kind.keep(terms);
    if (keep === null) continue;
    Object.assign(all, await kind.count(ctx, addSeconds(ctx.clock.now(), -keep), terms));
  }
  return nonZero(all);
}
