import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { countRows, type Forget, forgetRows } from "../db/forget.ts";
import { oldAlertLog, oldKnownAlerts } from "./alert-log/store.ts";
import { oldCalls } from "./source-limits/store.ts";
import { oldAlerts, oldDeadLetters, oldReceipts } from "./store.ts";

const OLD = {
  receipts: oldReceipts,
  dead_letters: oldDeadLetters,
  alerts: oldAlerts,
  alert_log: oldAlertLog,
  known_alerts: oldKnownAlerts,
  source_calls: oldCalls,
};

/** Kinds of records of intake, each with its own retention. */
export type IntakeRecords = keyof typeof OLD;

/** Deletes records older than their retention, from before `input.before`, oldest first; returns how many. */
export async function forgetIntake(ctx: Ctx, what: IntakeRecords, input: Forget): Promise<number> {
  authorise(ctx.actor, "delete old alerts", { people: "none", system: ["retention"] });
  return forgetRows(ctx, OLD[what](input.before), input.limit);
}

/** Returns how many records would be deleted. */
export async function countOldIntake(ctx: Ctx, what: IntakeRecords, before: Date): Promise<number> {
  authorise(ctx.actor, "count old alerts", { people: "none", system: ["retention"] });
  return countRows(ctx, OLD[what](before));
}
