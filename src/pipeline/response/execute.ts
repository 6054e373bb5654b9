import { getApproval } from "../../approval/index.ts";
import type { Check } from "../../contract/approval.ts";
import type { Observation, Verification } from "../../contract/execution.ts";
import { observation } from "../../contract/execution.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import {
  attemptExecution,
  beginExecution,
  concludeExecution,
  type ExecutionRow,
  endStep,
  getExecution,
  markUndone,
  mayActNow,
  type NextWork,
  prepareExecution,
  type Refusal,
  refuseExecution,
  requeue,
  storeSnapshot,
  takeSnapshot,
} from "../../execution/index.ts";
import { isActive, lockIncident, note, resolve, setMitigating } from "../../incident/index.ts";
import { firingIncidents } from "../../intake/index.ts";
import { recordRepair, repairTakenBack } from "../../learning/index.ts";
import { logAbout } from "../../lib/log.ts";
import { stepsOf, traitsOf } from "../../operation/index.ts";
import type { QueuedWork } from "../../outbox/index.ts";
import { observeTarget, verify } from "../../verification/index.ts";
import type { PipelineDeps } from "../types.ts";
import { observing } from "./observe.ts";
import { step } from "./step.ts";

const beforeOf = (execution: ExecutionRow): Observation | null =>
  observation
    .nullable()
    .catch(null)
    .parse(execution.before?.observation ?? null);

const impossibleOf = (before: Record<string, unknown>): string | null =>
  typeof before.impossible === "string" ? before.impossible : null;

type ExecutionTurn = Extract<QueuedWork, { kind: "execute" }> & { turn: number };

/** How a turn begins; `more`: further steps follow this one. */
type Beginning =
  | { kind: "go"; execution_id: string; more: boolean }
  | { kind: "impossible"; execution_id: string; why: string }
  | { kind: "refused"; execution_id: string }
  | { kind: "later"; wait: number }
  | { kind: "over" };

/** Returns why a plan that no person signed is not executed when checks fail; null where it may be. */
const unpassed = ({ caller }: Pick<ExecutionRow, "caller">, checks: readonly Check[]): string | null => {
  const failed = checks.filter((one) => !one.passed).map((one) => one.name);
  if (caller !== "auto_repair" || failed.length === 0) return null;
  return `it is not run automatically, because checks failed: ${failed.join(", ")}`;
};

/** Records the target's state before the act. Returns why the act is not executed after all, or null. */
async function recordStateBefore(
  now: () => PipelineDeps,
  execution: ExecutionRow,
): Promise<string | Refusal | null> {
  const { as, verification } = now();
  const ctx = as("pipeline");
  const { incident_id, operation } = execution;
  const gateway = () => now().run.gateway();
  const prepared = await prepareExecution(ctx, { incident_id, operation }, gateway);
  const { checks, refusal, belongs_to = [] } = prepared;
  if (refusal !== undefined && execution.caller === "auto_repair") return refusal;
  const impossible = prepared.impossible ?? unpassed(execution, checks);
  const snapshot = await takeSnapshot(ctx, { incident_id, operation }, gateway);
  const observers = observing(now, { incident_id, caller: "planner" });
  const seen = await observeTarget(observers, operation.target, ctx.clock, verification.look_timeout);
  const seenBefore = { observation: seen, dry_run_checks: checks, impossible, belongs_to };
  await storeSnapshot(ctx, execution, { ...snapshot.before, ...seenBefore }, snapshot.undo);
  return impossible;
}

/**
 * Checks whether the execution may act on its target now, and checks the target again: it may be gone since the plan was
 * made, or changed by the executions before this one.
 */
async function begin(now: () => PipelineDeps, { approval_id, turn }: ExecutionTurn): Promise<Beginning> {
  const deps = now();
  const ctx = deps.as("pipeline");
  const { steps, ...execution } = await beginExecution(ctx, approval_id, deps.run, turn);
  const { execution_id, before, step: place, attempts } = execution;
  if (execution.turn !== turn) return { kind: "over" };
  const go = { kind: "go" as const, execution_id, more: place < steps };
  if (attempts > 0) return go;
  const asked = await mayActNow(ctx, execution_id, turn, deps.run);
  if (asked.kind === "later" || asked.kind === "over") return asked;
  if (asked.kind === "refused") return { kind: "refused", execution_id };
  const why = before === null ? await recordStateBefore(now, execution) : impossibleOf(before);
  if (why === null) return go;
  if (typeof why === "string") return { kind: "impossible", execution_id, why };
  await refuseExecution(ctx, execution_id, why);
  return { kind: "refused", execution_id };
}

async function check(now: () => PipelineDeps, execution_id: string): Promise<Verification> {
  const { as, verification: terms } = now();
  const ctx = as("pipeline");
  const execution = await getExecution(ctx, execution_id);
  const { operation, incident_id, before, caller } = execution;
  const deed = { operation, before: before ?? {} };
  const stop = new AbortController();
  const observers = observing(now, { incident_id, caller }, stop);
  const more = { deed, signal: stop.signal };
  const verdict = await verify(observers, operation.target, beforeOf(execution), terms, ctx.clock, more);
  const { after } = verdict.evidence;
  if (after === null || !traitsOf(operation).verify.includes("alert_silent")) return verdict;
  // A sender may report the end minutes later, so this fact is shown and does not decide.
  const firing = (await firingIncidents(ctx, [incident_id])).has(incident_id);
  const message = firing ? "its sender has not reported its end" : "no alert is firing";
  const facts = [...after.facts, { name: "alert", passed: !firing, message }];
  return { ...verdict, evidence: { ...verdict.evidence, after: { ...after, facts } } };
}

/** Notes in the timeline that later steps were not begun because this one stopped the plan. */
async function noteStop(
  tx: Ctx,
  { approval_id, incident_id, execution_id, step: place, status }: ExecutionRow,
) {
  const { plan } = await getApproval(tx, approval_id);
  const steps = stepsOf(plan).length;
  if (steps === place || status === "success") return;
  const text = `Stopped at step ${place} of ${steps}: no later step was begun`;
  note(tx, { incident_id, kind: "execution", text, data: { execution_id, step: place, steps } });
}

/** Concludes an execution in one transaction: its result, the repair record and the incident's state. */
export async function conclude(
  deps: PipelineDeps,
  execution_id: string,
  verification: Verification | null,
  as: "pipeline" | "sweep" = "pipeline",
  error?: string,
): Promise<void> {
  await transaction(deps.as(as), async (tx) => {
    const input = { execution_id, verification, ...(error === undefined ? {} : { error }) };
    const execution = await concludeExecution(tx, input);
    if (execution === null) return;
    const { incident_id, attempts, undoes } = execution;
    await noteStop(tx, execution);
    if (attempts > 0 || execution.step > 1) await recordRepair(tx, execution);
    const undone = await markUndone(tx, execution);
    if (undone !== null) await repairTakenBack(tx, undone);
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined || !isActive(incident)) return;
    if (undoes !== null) {
      await setMitigating(tx, incident_id, false);
      note(tx, { incident_id, kind: "status", text: `Back to people after the undo of ${undoes}` });
      return;
    }
    const quiet = !(await firingIncidents(tx, [incident_id])).has(incident_id);
    if (verification?.result === "success") {
      await resolve(tx, { incident_id, through: "repair", execution_id });
    } else if (quiet && verification?.result === "inconclusive") {
      await resolve(tx, { incident_id, through: "notice" });
    } else {
      await setMitigating(tx, incident_id, false);
      note(tx, { incident_id, kind: "status", text: "Back to people: the repair did not help" });
    }
  });
}

/** Records the repair of an execution that has already ended, by refusal for instance, and returns its incident to people. */
export async function returnToResponders(
  deps: PipelineDeps,
  execution_id: string,
  as: "pipeline" | "sweep" = "pipeline",
): Promise<void> {
  await transaction(deps.as(as), async (tx) => {
    const execution = await getExecution(tx, execution_id);
    if (execution.status === "refused") await noteStop(tx, execution);
    if (execution.attempts > 0) await recordRepair(tx, execution);
    await setMitigating(tx, execution.incident_id, false);
  });
}

/** Concludes an execution that was not carried out, and returns its incident to people. */
async function giveUp(now: () => PipelineDeps, execution_id: string, why?: string): Promise<void> {
  await step("give up", async () => {
    await conclude(now(), execution_id, null, "pipeline", why);
    await returnToResponders(now(), execution_id);
  });
}

/** Leaves the rest to a later turn. Meanwhile the slot in the work queue is free. */
const later = (
  now: () => PipelineDeps,
  turn: ExecutionTurn,
  next: NextWork,
  seconds: number,
): Promise<void> => step("later", () => requeue(now().as("pipeline"), turn, next, seconds));

/** Continues after a step that may have had an effect: with the next step, or with the verification. */
async function goOn(
  now: () => PipelineDeps,
  turn: ExecutionTurn,
  { execution_id, more }: { execution_id: string; more: boolean },
) {
  if (!more) return later(now, turn, { kind: "verify", execution_id }, now().verification.wait);
  if (await step("end step", () => endStep(now().as("pipeline"), execution_id, now().run)))
    return later(now, turn, { kind: "execute" }, 0);
  await step("stop", () => conclude(now(), execution_id, null));
}

/**
 * Executes an approved plan as far as possible without waiting: one attempt at one step. Waits (for others on the same
 * target, between attempts, for the effect) are left to a later turn. Each part reads the current dependencies, so that a
 * configuration reloaded meanwhile applies.
 */
export async function execute(now: () => PipelineDeps, turn: ExecutionTurn): Promise<void> {
  const begun = await step("begin", () => begin(now, turn));
  if (begun.kind === "over") return;
  if (begun.kind === "later") return later(now, turn, { kind: "execute" }, begun.wait);
  const { execution_id } = begun;
  await logAbout({ execution_id }, async () => {
    if (begun.kind !== "go") return giveUp(now, execution_id, "why" in begun ? begun.why : undefined);
    const outcome = await step("act", async () => {
      const ctx = now().as("pipeline");
      const attempt = turn.attempt ?? (await getExecution(ctx, execution_id)).attempts;
      return attemptExecution(
        ctx,
        { execution_id, attempt: Math.max(attempt, 1), turn: turn.turn },
        now().run,
      );
    });
    switch (outcome.kind) {
      case "over":
        return;
      case "again":
        return later(now, turn, { kind: "execute", attempt: outcome.next }, outcome.wait);
      case "acted":
        return goOn(now, turn, begun);
      default:
        return giveUp(now, execution_id);
    }
  });
}

/** Verifies whether an execution has helped, and concludes it. */
export async function verifyExecution(
  now: () => PipelineDeps,
  { execution_id, turn }: Extract<QueuedWork, { kind: "verify" }>,
): Promise<void> {
  await logAbout({ execution_id }, async () => {
    const verification = await step("verify", async () => {
      const execution = await getExecution(now().as("pipeline"), execution_id);
      return execution.turn === turn && execution.status === "verifying" ? check(now, execution_id) : null;
    });
    if (verification === null) return;
    await step("conclude", () => conclude(now(), execution_id, verification));
  });
}
