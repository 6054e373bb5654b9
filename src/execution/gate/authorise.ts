import {
  type ApprovalRow,
  countSigners,
  findApproval,
  lockApproval,
  type ValidatedSignature,
  validateSignatures,
  validSignatures,
} from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { mayAutoRepair } from "../../decision/index.ts";
import { getIncident, type IncidentRow, isActive } from "../../incident/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import {
  type Operation,
  operation as operationSchema,
  planHash,
  plan as planSchema,
  type Scope,
  stepsOf,
  toolOf,
  traitsOf,
  withStep,
} from "../../operation/index.ts";
import { activeFreeze } from "../freeze/active-freeze.ts";
import { actedSince } from "../store.ts";
import type { Caller, Executor, GatewayOptions } from "../types.ts";
import { configurationHash } from "./configuration-hash.ts";
import { type Refusal, refusal } from "./refusals.ts";
import { traitsFor } from "./traits.ts";

/** A call of the gateway that is to reach a system. For writes, `run` names the execution and its approval. */
export type Call = {
  caller: Caller;
  incident_id: string;
  operation: Operation;
  scope: Scope;
  run?: {
    execution_id: string;
    approval_id: string;
    plan_hash: string;
    /** Which step of the plan, from 1; absent: the first. */
    step?: number;
    /** Owners of the target, as the system reported them in the snapshot; absent before a snapshot was taken. */
    belongs_to?: readonly string[];
  };
};

export type Admission = { ok: true; executor: Executor } | { ok: false; refusal: Refusal };

/** Gate 1: the caller is known, and the plan was signed in this installation's project. */
function checkCaller(
  options: GatewayOptions,
  call: Pick<Call, "caller">,
  approval: ApprovalRow | undefined,
): Refusal | undefined {
  const { caller } = call;
  if (!Object.hasOwn(options.grants, caller)) return refusal("caller_unknown", `unknown caller ${caller}`);
  const project = approval?.plan.project ?? options.project;
  if (project === options.project) return undefined;
  return refusal(
    "project_unknown",
    `the plan was signed in project ${project}, but this is ${options.project}`,
  );
}

type Tool = { executor: Executor; scope: Scope };

/** Gate 2: the tool is configured, not disabled, and its arguments are valid. Returns the executor or the refusal. */
function checkTool(options: GatewayOptions, operation: Operation): Tool | Refusal {
  const { kind } = operation;
  const executor = options.executors.find((one) => one.kinds.includes(kind));
  const { tool } = traitsOf(operation);
  if (executor === undefined) return refusal("tool_unknown", `no configured executor offers ${tool}`);
  if (!operationSchema.safeParse(operation).success)
    return refusal("arguments_invalid", `the arguments of ${tool} are not valid`);
  const name = toolOf(operation);
  const traits = traitsFor(options.executors, operation);
  if (traits === undefined) return refusal("tool_unknown", `no tool ${name} is configured`);
  return disabledOf(options, [name]) ?? { executor, scope: traits.scope };
}

function disabledOf({ disabled_tools }: GatewayOptions, names: readonly string[]): Refusal | undefined {
  const disabled = names.find((name) => disabled_tools.includes(name));
  return disabled === undefined
    ? undefined
    : refusal("tool_disabled", `${disabled} is disabled (execution.disabled_tools)`);
}

/** Gate 2, for changes: refuses when the tool's configuration differs from the signed one. Plans without one pass. */
function changedSince(
  { executors }: GatewayOptions,
  { operation, run }: Call,
  plan: ApprovalRow["plan"] | undefined,
): Refusal | undefined {
  const signed = plan?.configured?.[(run?.step ?? 1) - 1] ?? null;
  if (signed === null) return undefined;
  const now = configurationHash(executors, operation);
  if (now === signed) return undefined;
  const how = now === null ? "was removed" : "has changed";
  return refusal(
    "tool_changed",
    `the configuration of ${toolOf(operation)} for this target ${how} since the plan was made`,
  );
}

/** Gate 3: the scope is granted to the caller. */
function checkScope(options: GatewayOptions, caller: Caller, needed: Scope): Refusal | undefined {
  if (options.grants[caller].includes(needed)) return undefined;
  return refusal("scope_not_granted", `${caller} is not granted ${needed} (execution.grants)`);
}

/** The settings that can stop every change. */
export type StopTerms = Pick<GatewayOptions, "mode" | "frozen" | "freeze_windows">;

/** Returns the refusal that now applies to every change of every caller: shadow mode or a freeze. */
export async function whatStopsAll(ctx: Ctx, options: StopTerms): Promise<Refusal | undefined> {
  if (options.mode === "shadow") return refusal("mode_shadow", "in shadow mode nothing is changed");
  return activeFreeze(ctx, options);
}

/** Gate 4: mode, freezes and hourly rates allow a change now. */
async function checkMode(ctx: Ctx, options: GatewayOptions, call: Call): Promise<Refusal | undefined> {
  const stopped = await whatStopsAll(ctx, options);
  if (stopped !== undefined || call.run === undefined) return stopped;
  const { max_per_hour: max, automatic } = options;
  const since = addSeconds(ctx.clock.now(), -3600);
  const { execution_id, belongs_to = [] } = call.run;
  const { target: on } = call.operation;
  const acted = await actedSince(ctx, execution_id, { target: on, belongs_to }, since);
  if (acted.all.target >= max.target)
    return refusal(
      "rate_target",
      `this target was changed ${acted.all.target} times within an hour (execution.max_per_hour.target)`,
    );
  if (acted.all.total >= max.total)
    return refusal(
      "rate_total",
      `there were ${acted.all.total} changes within an hour (execution.max_per_hour.total)`,
    );
  if (call.caller !== "auto_repair") return undefined;
  const { target, total } = acted.automatic;
  if (target >= automatic.max_per_hour.target)
    return refusal(
      "rate_automatic_target",
      `this target was changed automatically ${target} times within an hour (execution.automatic.max_per_hour.target)`,
    );
  if (total >= automatic.max_per_hour.total)
    return refusal(
      "rate_automatic_total",
      `there were ${total} automatic changes within an hour (execution.automatic.max_per_hour.total)`,
    );
  return undefined;
}

// A clock correction of up to this many seconds is tolerated.
const CLOCK_SLACK_SECONDS = 60;

/** Returns the expiry and the signatures required: the stricter of the settings at decision time and those of now. */
function termsOf(options: GatewayOptions, { plan, decided_at, authority_until }: ApprovalRow) {
  const now = decided_at === null ? null : addSeconds(decided_at, options.authority);
  const by_people = plan.authority !== "policy";
  return {
    until: authority_until !== null && now !== null && now < authority_until ? now : authority_until,
    required: Math.max(
      plan.required_signatures,
      by_people ? options.required_signatures[plan.risk_level] : 0,
    ),
  };
}

/** Refuses when too few signatures count; where lapsed ones would have sufficed, the message names them and why. */
function quorumGap(
  { plan, plan_hash }: ApprovalRow,
  signatures: readonly ValidatedSignature[],
  required: number,
): Refusal | undefined {
  const signers = countSigners(validSignatures(signatures), plan_hash, plan.risk_level);
  if (signers >= required) return undefined;
  if (countSigners(signatures, plan_hash, plan.risk_level) < required)
    return refusal("quorum_missing", `too few people have signed this plan (${signers} of ${required})`);
  const lapsed = signatures.filter((one) => one.why_not !== null);
  const who = lapsed.map((one) => `${one.person_name}: ${one.why_not}`).join("; ");
  return refusal("signature_lapsed", `too few signatures of this plan are still valid (${who})`);
}

function authorityGap(
  options: GatewayOptions,
  approval: ApprovalRow,
  call: Call,
  signatures: readonly ValidatedSignature[],
  now: Date,
): Refusal | undefined {
  const { status, plan, plan_hash } = approval;
  if (status !== "approved") return refusal("approval_missing", `the approval is ${status}`);
  const { until, required } = termsOf(options, approval);
  if (until === null || until <= now)
    return refusal("authority_expired", "the approval is too old (approval.authority)");
  // When the clock was set back to before the decision, the approval's age is not known.
  if (approval.decided_at !== null && approval.decided_at > addSeconds(now, CLOCK_SLACK_SECONDS))
    return refusal("authority_expired", "the clock is earlier than the approval");
  // A stored plan that does not match the schema cannot be the one that was signed.
  const intact = planSchema.safeParse(plan).success && planHash(plan) === plan_hash;
  if (!intact || plan_hash !== call.run?.plan_hash)
    return refusal("plan_mismatch", "this is not the plan that was signed");
  const asked = operationSchema.parse(call.operation);
  if ((plan.authority === "policy") !== (call.caller === "auto_repair"))
    return refusal(
      "authority_policy",
      `${call.caller} may not carry out a plan that ${plan.authority ?? "people"} approved`,
    );
  const step = call.run.step ?? 1;
  if (step > stepsOf(plan).length || planHash(withStep(plan, step, asked)) !== plan_hash)
    return refusal("plan_mismatch", "this is not the operation that was signed");
  return quorumGap(approval, signatures, required);
}

/** Gate 5: an approval that is still valid covers exactly this run. */
async function checkApproval(ctx: Ctx, options: GatewayOptions, call: Call): Promise<Refusal | undefined> {
  // Locks the approval row: a concurrent rejection commits before this act or waits until after it.
  const approval = call.run && (await lockApproval(ctx, call.run.approval_id));
  if (approval === undefined) return refusal("approval_missing", "a change needs an approval");
  // Locks the signers' tokens as well: a concurrent revocation commits before this act or waits until after it.
  const judged = await validateSignatures(ctx, [approval], { hold: true });
  const signatures = judged.get(approval.approval_id) ?? [];
  const gap = authorityGap(options, approval, call, signatures, ctx.clock.now());
  if (gap !== undefined) return gap;
  const incident = await getIncident(ctx, call.incident_id);
  if (approval.incident_id !== call.incident_id || !isActive(incident))
    return refusal("incident_over", "the incident is no longer active");
  return policyGap(ctx, options, approval, incident);
}

/** Evaluates the guardrails again for plans that policy allowed. Plans that people signed are not judged again. */
async function policyGap(
  ctx: Ctx,
  options: GatewayOptions,
  { approval_id, plan, blast_radius }: ApprovalRow,
  incident: IncidentRow,
): Promise<Refusal | undefined> {
  if (plan.authority !== "policy") return undefined;
  const { playbook_id = "", playbook_hash, risk_level } = plan;
  const operations = stepsOf(plan);
  // Freezes and rates are checked by gate 4, and the dry-run was checked before the act.
  const known = {
    stopped: null,
    failed_checks: [],
    belongs_to: blast_radius.belongs_to ?? blast_radius.related_services,
    executable: operations.every((one) => isOffered(options, one)),
  };
  const candidate = { incident, approval_id, operations, risk_level, playbook_id, playbook_hash, ...known };
  const { blocked_by } = await mayAutoRepair(ctx, candidate, options.by_itself);
  if (blocked_by.length === 0) return undefined;
  const why = blocked_by.map((one) => `${one.guardrail}: ${one.reason}`).join("; ");
  return refusal("guardrail_blocked", `a guardrail blocks the automatic run (${why})`);
}

const isRefusal = (one: Tool | Refusal): one is Refusal => "gate" in one;

/** Returns whether these settings allow the operation to be carried out; others are not put before approvers. */
export function isOffered(options: GatewayOptions, operation: Operation): boolean {
  const tool = checkTool(options, operation);
  return !isRefusal(tool) && checkScope(options, "approval_executor", tool.scope) === undefined;
}

/**
 * Returns the refusal of the first gate that fails for an observation that no executor makes (an investigator or an
 * observer), else undefined. The tool `investigate` and the observation's own `tool` must be enabled. Pure.
 */
export function authoriseObservation(
  options: GatewayOptions,
  { caller, tool }: { caller: Caller; tool?: string | undefined },
): Refusal | undefined {
  const tools = [traitsOf({ kind: "investigate" }).tool, ...(tool === undefined ? [] : [tool])];
  const one = checkCaller(options, { caller }, undefined);
  return one ?? disabledOf(options, tools) ?? checkScope(options, caller, "read");
}

/**
 * Checks the five gates in order, for reads and writes, and returns the executor or the refusal of the first gate that
 * fails. All state is read now, in the transaction of `ctx`, not when the plan was made.
 */
export async function authoriseCall(ctx: Ctx, options: GatewayOptions, call: Call): Promise<Admission> {
  const approval = call.run && (await findApproval(ctx, call.run.approval_id));
  const one = checkCaller(options, call, approval);
  if (one !== undefined) return { ok: false, refusal: one };
  const tool = checkTool(options, call.operation);
  if (isRefusal(tool)) return { ok: false, refusal: tool };
  const { executor, scope } = tool;
  // A read that prepares a write (dry-run, snapshot) needs only the scope `read`; acting needs the tool's own scope.
  const needed = call.scope === "read" ? "read" : scope;
  const changed = needed === "read" ? undefined : changedSince(options, call, approval?.plan);
  if (changed !== undefined) return { ok: false, refusal: changed };
  const three = checkScope(options, call.caller, needed);
  if (three !== undefined) return { ok: false, refusal: three };
  if (needed === "read") return { ok: true, executor };
  const last = (await checkMode(ctx, options, call)) ?? (await checkApproval(ctx, options, call));
  return last === undefined ? { ok: true, executor } : { ok: false, refusal: last };
}
