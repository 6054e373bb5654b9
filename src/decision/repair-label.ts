import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { PolicyVerdict } from "../contract/decision.ts";
import type { Ctx } from "../db/ctx.ts";
import { note } from "../incident/index.ts";
import { type Blocked, forbiddenByLabel } from "./guardrails.ts";
import { latestDecisions, setVerdict } from "./store.ts";
import type { DecisionRow } from "./types.ts";

const GUARDRAIL = "auto_repair_label";
/** Returns the guardrail that these values of the label `auto_repair` trip; empty where they allow a repair. */
export function forbiddenBy(labels: readonly (string | null | undefined)[]): Blocked[] {
  const reason = forbiddenByLabel(labels);
  return reason === undefined ? [] : [{ guardrail: GUARDRAIL, reason }];
}

/** Adds further guardrails to a verdict, whose outcome stays. */
export const withBlocked = (policy: PolicyVerdict, more: readonly Blocked[]): PolicyVerdict =>
  more.length === 0 ? policy : { ...policy, blocked_by: [...(policy.blocked_by ?? []), ...more] };

/** Records what a label forbids in the incident's timeline, the operation log and the ledger. */
export function recordForbidden(
  ctx: Ctx,
  { token, incident_id }: Pick<DecisionRow, "token" | "incident_id">,
  blocked_by: readonly Blocked[],
): void {
  if (blocked_by.length === 0) return;
  const text = `Automatic repair forbidden (${GUARDRAIL}): ${blocked_by.map((one) => one.reason).join("; ")}`;
  const data = { token, blocked_by };
  note(ctx, { incident_id, kind: "decision", text, data, event: "GUARDRAIL_BLOCKED" });
  record(ctx, { action: "decision.blocked", subject: token, data: { incident_id, blocked_by } });
}

/**
 * Records on the decisions of these incidents that labels of new alerts forbid automatic repair, in every mode and once
 * per decision. Decisions with the outcome `auto` are skipped: their guardrails report it with all else that blocks.
 */
export async function recordRepairLabels(
  ctx: Ctx,
  labels: ReadonlyMap<string, readonly (string | undefined)[]>,
): Promise<void> {
  authorise(ctx.actor, "record auto_repair labels", { people: "none", system: ["intake"] });
  const forbidden = new Map(
    [...labels].flatMap(([id, all]) => {
      const blocked = forbiddenBy(all);
      return blocked.length === 0 ? [] : [[id, blocked] as const];
    }),
  );
  const decisions = await latestDecisions(ctx, [...forbidden.keys()]);
  for (const [incident_id, decision] of decisions) {
    const { policy, state, token } = decision;
    if (state === "superseded" || policy.outcome === "auto") continue;
    if (policy.blocked_by?.some((one) => one.guardrail === GUARDRAIL)) continue;
    const blocked = forbidden.get(incident_id) ?? [];
    await setVerdict(ctx, token, withBlocked(policy, blocked));
    recordForbidden(ctx, decision, blocked);
  }
}
