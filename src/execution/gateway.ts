import { type ApprovalRow, countSigners, getApproval, signaturesOf } from "../approval/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { getIncident, isActive } from "../incident/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { messageOf } from "../lib/error.ts";
import { within } from "../lib/wait.ts";
import {
  type Operation,
  operation as operationSchema,
  planHash,
  plan as planSchema,
  type Scope,
  traitsOf,
} from "../operation/index.ts";
import { actedSince } from "./store.ts";
import type { Caller, Executor, GatewayOptions, Refusal } from "./types.ts";

/** Something that is to reach a system. For writes, `run` names the execution and the approval it stands on. */
export type Call = {
  caller: Caller;
  incident_id: string;
  operation: Operation;
  scope: Scope;
  run?: { execution_id: string; approval_id: string; plan_hash: string };
};

export type Admission = { ok: true; executor: Executor } | { ok: false; refusal: Refusal };

const refuse = (gate: Refusal["gate"], code: string, message: string): Admission => ({
  ok: false,
  refusal: { gate, code, message: `Gate ${gate}: ${message}` },
});

async function gateFour(ctx: Ctx, options: GatewayOptions, call: Call): Promise<Admission | undefined> {
  if (options.mode === "shadow") return refuse(4, "mode_shadow", "in shadow mode nothing is changed");
  if (options.frozen) return refuse(4, "frozen", "changes are frozen (execution.frozen)");
  if (call.run === undefined) return undefined;
  const { target } = call.operation;
  const since = addSeconds(ctx.clock.now(), -3600);
  const acted = await actedSince(ctx, call.run.execution_id, target, since);
  const { max_per_hour: max } = options;
  if (acted.target >= max.target) {
    return refuse(4, "rate_target", `${acted.target} changes of this target within an hour are enough`);
  }
  if (acted.total >= max.total)
    return refuse(4, "rate_total", `${acted.total} changes within an hour are enough`);
  return undefined;
}

// What a clock may be corrected by without anybody noticing.
const CLOCK_SLACK_SECONDS = 60;

function authorityGap(approval: ApprovalRow, call: Call, signers: number, now: Date): string | undefined {
  const { status, plan, plan_hash, authority_until } = approval;
  if (status !== "approved") return `approval_missing: the approval is ${status}`;
  if (authority_until === null || authority_until <= now)
    return "authority_expired: the approval is too old to act on";
  // How old it is cannot be told when the clock was set back behind its signature.
  if (approval.decided_at !== null && approval.decided_at > addSeconds(now, CLOCK_SLACK_SECONDS))
    return "authority_expired: the clock is behind the approval";
  // What does not even have the form of a plan was not signed either.
  const intact = planSchema.safeParse(plan).success && planHash(plan) === plan_hash;
  if (!intact || plan_hash !== call.run?.plan_hash) {
    return "plan_mismatch: this is not the plan that was signed";
  }
  const asked = operationSchema.parse(call.operation);
  const same = planHash({ ...plan, operation: asked }) === plan_hash;
  if (!same) return "plan_mismatch: this is not the operation that was signed";
  if (signers < plan.required_signatures) return "quorum_missing: too few people have signed this plan";
  return undefined;
}

async function gateFive(ctx: Ctx, call: Call): Promise<Admission | undefined> {
  if (call.run === undefined) return refuse(5, "approval_missing", "a change needs an approval");
  const { approval_id } = call.run;
  const approval = await getApproval(ctx, approval_id);
  const signatures = (await signaturesOf(ctx, [approval_id])).get(approval_id) ?? [];
  const signers = countSigners(signatures, approval.plan_hash, approval.plan.risk_level);
  const gap = authorityGap(approval, call, signers, ctx.clock.now());
  if (gap !== undefined) {
    const [code = "", message = ""] = gap.split(/: (.*)/s);
    return refuse(5, code, message);
  }
  const incident = await getIncident(ctx, call.incident_id);
  if (approval.incident_id !== call.incident_id || !isActive(incident)) {
    return refuse(5, "incident_over", "the incident is over");
  }
  return undefined;
}

/**
 * The five gates that every effect passes, reads included: 1 the caller is known, 2 the tool is there and
 * its arguments are valid, 3 the scope is granted, 4 mode, freeze and rate allow it, 5 a live approval
 * covers exactly this run. Everything is looked up now, not when the plan was made.
 */
export async function admit(ctx: Ctx, options: GatewayOptions, call: Call): Promise<Admission> {
  if (!Object.hasOwn(options.grants, call.caller))
    return refuse(1, "caller_unknown", `unknown caller ${call.caller}`);
  const { tool, scope } = traitsOf(call.operation);
  const executor = options.executors.find((one) => one.kinds.includes(call.operation.kind));
  if (executor === undefined) return refuse(2, "tool_unknown", `nothing configured offers ${tool}`);
  if (!operationSchema.safeParse(call.operation).success) {
    return refuse(2, "arguments_invalid", `the arguments of ${tool} are not valid`);
  }
  // Reading about a write (a dry-run, a snapshot) needs the scope read only; acting needs the tool's own.
  const needed = call.scope === "read" ? "read" : scope;
  if (!options.grants[call.caller].includes(needed)) {
    return refuse(3, "scope_not_granted", `${call.caller} is not granted ${needed}`);
  }
  if (needed === "read") return { ok: true, executor };
  const refusal = (await gateFour(ctx, options, call)) ?? (await gateFive(ctx, call));
  return refusal ?? { ok: true, executor };
}

/** Reads through the gateway: for dry-runs, snapshots and looking whether an act took effect. Audited. */
export async function readThrough<T>(
  ctx: Ctx,
  options: GatewayOptions,
  call: Omit<Call, "scope">,
  what: string,
  read: (executor: Executor) => Promise<T>,
): Promise<{ ok: true; value: T } | { ok: false; message: string }> {
  const admission = await admit(ctx, options, { ...call, scope: "read" });
  const started = ctx.clock.now().getTime();
  const result = admission.ok
    ? await within(options.read_timeout, what, (async () => read(admission.executor))()).then(
        (value) => ({ ok: true as const, value }),
        (error: unknown) => ({ ok: false as const, message: messageOf(error) }),
      )
    : { ok: false as const, message: admission.refusal.message };
  await auditCall(ctx, call, {
    what,
    outcome: result.ok ? "ok" : result.message,
    duration_ms: ctx.clock.now().getTime() - started,
    ...(admission.ok ? {} : { gate: admission.refusal.gate, code: admission.refusal.code }),
  });
  return result;
}

/** Writes a call of the gateway into the ledger. */
export async function auditCall(
  ctx: Ctx,
  call: Omit<Call, "scope">,
  outcome: { what: string; outcome: string; duration_ms?: number; gate?: number; code?: string },
): Promise<void> {
  const { caller, incident_id, operation, run } = call;
  const { tool } = traitsOf(operation);
  await transaction(ctx, async (tx) => {
    record(tx, {
      action: "gateway.call",
      subject: run?.execution_id ?? incident_id,
      data: { caller, tool, incident_id, approval_id: run?.approval_id, operation, ...outcome },
    });
  });
}
