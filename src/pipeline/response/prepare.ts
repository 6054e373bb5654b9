import { EVIDENCE_LATE, getApproval, withdrawApproval } from "../../approval/index.ts";
import type { OperationTarget } from "../../contract/incident.ts";
import { isUnavailable } from "../../db/failure.ts";
import { transaction } from "../../db/transaction.ts";
import { type PlanPreparation, preparePlan } from "../../execution/index.ts";
import { note } from "../../incident/index.ts";
import { messageOf } from "../../lib/error.ts";
import { wait } from "../../lib/wait.ts";
import { stepsOf } from "../../operation/index.ts";
import { observeTarget } from "../../verification/index.ts";
import type { PipelineDeps } from "../types.ts";
import { presentOrAutoApprove } from "./auto-approve.ts";
import { observing } from "./observe.ts";
import { reassess } from "./reassess.ts";
import { step } from "./step.ts";

// Seconds of the decision's time reserved for storing and presenting what was gathered.
const RESERVE_SECONDS = 2;

/** Notes the target's current state in the incident's timeline. */
async function noteObservation(now: () => PipelineDeps, incident_id: string, target: OperationTarget | null) {
  const { as, verification } = now();
  const ctx = as("pipeline");
  const observers = observing(now, { incident_id, caller: "planner" });
  const seen = await observeTarget(observers, target, ctx.clock, verification.look_timeout);
  if (seen === null) return;
  const text = `Seen now: ${seen.facts.map((fact) => `${fact.name}: ${fact.message}`).join("; ")}`;
  await transaction(ctx, (tx) =>
    note(tx, { incident_id, kind: "decision", text, data: { observation: seen } }),
  );
}

/** The preparation of a plan, and the hash of that plan. */
type PreparedPlan = PlanPreparation & { plan_hash: string };

/** Gathers evidence first, since it may change the plan, then checks whether the plan can be executed. */
async function preparePlanWithEvidence(
  now: () => PipelineDeps,
  approval_id: string,
  nothing: PreparedPlan,
): Promise<PreparedPlan> {
  const ctx = now().as("pipeline");
  const { incident_id, decision_token: token } = await getApproval(ctx, approval_id);
  try {
    await reassess(now(), { incident_id, token });
  } catch (error) {
    if (isUnavailable(error)) throw error;
    // A plan prepared without evidence is better than none.
    ctx.log.error({ incident_id, error: messageOf(error) }, "the evidence could not be evaluated");
  }
  const { plan, plan_hash, status } = await getApproval(ctx, approval_id);
  if (status !== "preparing") return nothing;
  await noteObservation(now, incident_id, plan.operation.target);
  const about = { incident_id, operations: stepsOf(plan) };
  const prepared = await preparePlan(ctx, about, () => now().run.gateway());
  return { ...prepared, plan_hash };
}

/** Prepares a plan within the time left; after that, its checks say that the preparation was late. */
async function gather(now: () => PipelineDeps, approval_id: string): Promise<PreparedPlan> {
  const ctx = now().as("pipeline");
  const { status, prepare_until, plan, plan_hash } = await getApproval(ctx, approval_id);
  const bare = { checks: [], diff: null, affected_pods: 0, impossible: null };
  const nothing = { ...bare, operations: stepsOf(plan), plan_hash };
  if (status !== "preparing") return nothing;
  const left = (prepare_until.getTime() - ctx.clock.now().getTime()) / 1000 - RESERVE_SECONDS;
  const stop = new AbortController();
  const bound = wait(Math.max(left, 0) * 1000, stop.signal).then(() => ({
    ...nothing,
    checks: [EVIDENCE_LATE],
  }));
  try {
    return await Promise.race([preparePlanWithEvidence(now, approval_id, nothing), bound]);
  } finally {
    stop.abort();
  }
}

/** Prepares a plan, and presents it for approval or approves it by policy; withdraws one that cannot be executed. */
export async function prepare(now: () => PipelineDeps, approval_id: string): Promise<void> {
  const { impossible, ...prepared } = await step("gather", () => gather(now, approval_id));
  await step("present", async () => {
    const deps = now();
    const ctx = deps.as("pipeline");
    if (impossible !== null) return withdrawApproval(ctx, { approval_id, reason: impossible });
    return presentOrAutoApprove(deps, approval_id, prepared);
  });
}
