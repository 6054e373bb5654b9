import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Risk } from "../contract/common.ts";
import type { Ctx } from "../db/ctx.ts";
import { type IncidentRow, note } from "../incident/index.ts";
import { repairLabelsOf } from "../intake/index.ts";
import type { Operation } from "../operation/index.ts";
import { findPlaybook, hashOf } from "../playbook/index.ts";
import { type Blocked, evaluate, type GuardrailFacts } from "./guardrails.ts";
import { judge } from "./policy.ts";
import { repairOf, type ServiceRegistry } from "./service-registry.ts";
import { earlierTries, setVerdict } from "./store.ts";

/** On what terms playbooks may run by themselves. */
export type AutoTerms = Pick<GuardrailFacts, "mode" | "terms"> & { services: ServiceRegistry | null };

/** What would run, or is about to. */
export type Candidate = {
  incident: IncidentRow;
  approval_id: string;
  operations: readonly Operation[];
  risk_level: Risk;
  playbook_id: string;
  /** Of the playbook that the plan was made from. */
  playbook_hash: string | undefined;
  /** Whether something is there that can carry all of it out. */
  executable: boolean;
} & Pick<GuardrailFacts, "stopped" | "failed_checks">;

/**
 * Whether a playbook may run by itself as things are now: asked when its plan is prepared, and again at the moment
 * of each act. Everything is looked up in the transaction of `ctx`.
 */
export async function mayRunByItself(
  ctx: Ctx,
  candidate: Candidate,
  { mode, terms, services }: AutoTerms,
): Promise<{ blocked_by: Blocked[]; cold_start: boolean }> {
  const system = ["pipeline", "sweep"] as const;
  authorise(ctx.actor, "judge what runs by itself", { people: "nobody", system });
  const { incident, operations, approval_id, playbook_id, playbook_hash, executable, ...known } = candidate;
  const { incident_id, severity, alert_category: category, escalation_level, notification_type } = incident;
  const about = { mode, notification_type, category, executable, playbook: true };
  const own = incident.operation_target?.name;
  const names = [...incident.affected_services, ...(own === undefined ? [] : [own])];
  // What else it would change is asked about by itself: what nobody has listed falls under the default.
  const others = operations.flatMap(({ target }) => (target && target.name !== own ? [target.name] : []));
  const found = await findPlaybook(ctx, playbook_id);
  return evaluate({
    ...known,
    mode,
    policy: operations.map((operation) => judge({ ...about, operation })),
    terms,
    operations,
    severity,
    category,
    escalation_level,
    labels: await repairLabelsOf(ctx, incident_id),
    services: [names, ...others.map((one) => [one])].flatMap((some) => repairOf(services, some)),
    playbook: found !== undefined && hashOf(found) === playbook_hash ? found : null,
    earlier: await earlierTries(ctx, incident_id, approval_id),
  });
}

/** Writes down that a decision does not run by itself, and why: from now on it is for people. */
export async function blockDecision(
  ctx: Ctx,
  decision: { token: string; incident_id: string },
  blocked_by: readonly Blocked[],
): Promise<void> {
  const system = ["pipeline", "sweep"] as const;
  authorise(ctx.actor, "keep decisions from running by themselves", { people: "nobody", system });
  const { token, incident_id } = decision;
  const reasons = blocked_by.map((one) => one.reason).join("; ");
  const reason = `it does not run by itself (${reasons}): people decide`;
  await setVerdict(ctx, token, { outcome: "ask", rule: "guardrails", reason, blocked_by: [...blocked_by] });
  const names = blocked_by.map((one) => one.guardrail).join(", ");
  const text = `Not repaired by itself (${names}): ${reasons}`;
  const data = { token, blocked_by };
  note(ctx, { incident_id, kind: "decision", text, data, event: "GUARDRAIL_BLOCKED" });
  record(ctx, { action: "decision.blocked", subject: token, data: { incident_id, blocked_by } });
}
