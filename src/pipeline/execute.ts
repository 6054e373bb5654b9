import { getApproval } from "../approval/index.ts";
import type { Check } from "../contract/approval.ts";
import type { Observation, Verification } from "../contract/execution.ts";
import { observation } from "../contract/execution.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import {
  attemptExecution,
  beginExecution,
  concludeExecution,
  type ExecutionRow,
  endStep,
  getExecution,
  keepBefore,
  markUndone,
  prepareExecution,
  takeSnapshot,
} from "../execution/index.ts";
import { isActive, lockIncident, note, resolve, setMitigating } from "../incident/index.ts";
import { firingIncidents } from "../intake/index.ts";
import { recordRepair, repairTakenBack } from "../learning/index.ts";
import { logAbout } from "../lib/log.ts";
import { stepsOf, traitsOf } from "../operation/index.ts";
import { look, verify } from "../verification/index.ts";
import { pause, step } from "./step.ts";
import type { Journey } from "./types.ts";

const beforeOf = (execution: ExecutionRow): Observation | null =>
  observation
    .nullable()
    .catch(null)
    .parse(execution.before?.observation ?? null);

const impossibleOf = (before: Record<string, unknown>): string | null =>
  typeof before.impossible === "string" ? before.impossible : null;

/** `more`: further steps follow it; absent in what an older version kept: none. */
type Beginning = { execution_id: string; impossible: string | null; more?: boolean };

/** What nobody has signed is not done where a check does not pass. */
const unpassed = ({ caller }: Pick<ExecutionRow, "caller">, checks: readonly Check[]): string | null => {
  const failed = checks.filter((one) => !one.passed).map((one) => one.name);
  if (caller !== "auto_repair" || failed.length === 0) return null;
  return `it is not done by itself, for not all checks passed: ${failed.join(", ")}`;
};

/** Looks once more before acting: the target may be gone since its plan was made. What is seen is kept. */
async function begin(journey: Journey, approval_id: string, place: number): Promise<Beginning> {
  const ctx = journey.as("pipeline");
  const { steps, ...execution } = await beginExecution(ctx, approval_id, journey.run, place);
  const { execution_id, incident_id, operation, before } = execution;
  const more = place < steps;
  if (before !== null) return { execution_id, impossible: impossibleOf(before), more };
  const prepared = await prepareExecution(ctx, { incident_id, operation }, journey.run.gateway);
  const { checks } = prepared;
  const impossible = prepared.impossible ?? unpassed(execution, checks);
  const snapshot = await takeSnapshot(ctx, { incident_id, operation }, journey.run.gateway);
  const { look_timeout } = journey.verification;
  const seen = await look(journey.observers, operation.target, ctx.clock, look_timeout);
  const seenBefore = { observation: seen, dry_run_checks: checks, impossible };
  await keepBefore(ctx, execution, { ...snapshot.before, ...seenBefore }, snapshot.undo);
  return { execution_id, impossible, more };
}

/** Acts until an attempt has an outcome: true when it may have had an effect, which is to be verified. */
async function act(journey: Journey, execution_id: string): Promise<boolean> {
  for (let attempt = 1; ; ) {
    const outcome = await step("act", () =>
      attemptExecution(journey.as("pipeline"), { execution_id, attempt }, journey.run),
    );
    if (outcome.kind !== "again") return outcome.kind === "acted";
    await pause(outcome.wait);
    attempt = outcome.next;
  }
}

async function check(journey: Journey, execution_id: string): Promise<Verification> {
  const ctx = journey.as("pipeline");
  const execution = await getExecution(ctx, execution_id);
  const { operation, incident_id, before } = execution;
  const deed = { operation, before: before ?? {} };
  const { observers, verification: terms } = journey;
  const verdict = await verify(observers, operation.target, beforeOf(execution), terms, ctx.clock, { deed });
  const { after } = verdict.evidence;
  if (after === null || !traitsOf(operation).verify.includes("alert_silent")) return verdict;
  // A sender may say minutes later that it is over: it is told, and decides nothing.
  const firing = (await firingIncidents(ctx, [incident_id])).has(incident_id);
  const message = firing ? "its sender has not said that it is over" : "nothing fires any more";
  const facts = [...after.facts, { name: "alert", passed: !firing, message }];
  return { ...verdict, evidence: { ...verdict.evidence, after: { ...after, facts } } };
}

/** Says what was not begun because a step before it stopped the whole. */
async function noteStop(
  tx: Ctx,
  { approval_id, incident_id, execution_id, step: place, status }: ExecutionRow,
) {
  const { plan } = await getApproval(tx, approval_id);
  const steps = stepsOf(plan).length;
  if (steps === place || status === "success") return;
  const text = `Stopped at step ${place} of ${steps}: nothing after it was begun`;
  note(tx, { incident_id, kind: "execution", text, data: { execution_id, step: place, steps } });
}

/** Draws the conclusion, all of it in one transaction: the execution, what is learnt, the incident. */
export async function conclude(
  journey: Journey,
  execution_id: string,
  verification: Verification | null,
  as: "pipeline" | "sweep" = "pipeline",
  error?: string,
): Promise<void> {
  await transaction(journey.as(as), async (tx) => {
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

/** A refused execution has ended already: what it came to is learnt, and its incident goes back to people. */
export async function giveBack(
  journey: Journey,
  execution_id: string,
  as: "pipeline" | "sweep" = "pipeline",
): Promise<void> {
  await transaction(journey.as(as), async (tx) => {
    const execution = await getExecution(tx, execution_id);
    if (execution.status === "refused") await noteStop(tx, execution);
    if (execution.attempts > 0) await recordRepair(tx, execution);
    await setMitigating(tx, execution.incident_id, false);
  });
}

/** Does what an approval allows, step by step, looks whether it helped, and draws the conclusion. */
export async function execute(journey: Journey, approval_id: string): Promise<void> {
  for (let place = 1, goOn = true; goOn; place += 1) {
    const begun = await step("begin", () => begin(journey, approval_id, place));
    goOn = await logAbout({ execution_id: begun.execution_id }, () => carryOut(journey, begun));
  }
}

/** One step of a plan; true when the next one is to follow. */
async function carryOut(journey: Journey, begun: Beginning): Promise<boolean> {
  const { execution_id, impossible, more = false } = begun;
  const acted = impossible === null && (await act(journey, execution_id));
  if (!acted) {
    await step("give up", async () => {
      await conclude(journey, execution_id, null, "pipeline", impossible ?? undefined);
      await giveBack(journey, execution_id);
    });
    return false;
  }
  if (more) {
    if (await step("end step", () => endStep(journey.as("pipeline"), execution_id, journey.run))) return true;
    await step("stop", () => conclude(journey, execution_id, null));
    return false;
  }
  await pause(journey.verification.wait);
  const verification = await step("verify", () => check(journey, execution_id));
  await step("conclude", () => conclude(journey, execution_id, verification));
  return false;
}
