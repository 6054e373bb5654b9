import { randomUUID } from "node:crypto";
import { approve, publishApproval, requestApproval } from "../../src/approval/index.ts";
import type { Risk } from "../../src/contract/common.ts";
import type { Ctx } from "../../src/db/ctx.ts";
import { transaction } from "../../src/db/transaction.ts";
import { insertDecision } from "../../src/decision/store.ts";
import { decisionToken, incidentId } from "../../src/lib/id.ts";
import type { Operation } from "../../src/operation/index.ts";
import type { TestDatabase } from "./database.ts";
import { insertIncident } from "./incident.ts";
import { type Person, type SetClock, TERMS } from "./pipeline-deps.ts";

export const restartOf = (name: string): Operation => ({
  kind: "process.restart",
  target: { kind: "process", name },
  parameters: {},
});

export type Asked = { incident_id: string; approval_id: string; plan_hash: string; operation: Operation };

/** An incident with a plan that is being prepared, as intake makes it. */
export async function asked(
  database: TestDatabase,
  clock: SetClock,
  operation: Operation = restartOf(`web-${randomUUID()}`),
  risk: Risk = "medium",
): Promise<Asked> {
  const intake = database.ctx({ kind: "system", name: "intake" }, clock);
  return transaction(intake, async (tx) => {
    const now = tx.clock.now();
    const incident = await insertIncident(tx, {
      incident_id: incidentId(now, tx.random),
      fingerprint: randomUUID(),
      anomaly_key: randomUUID(),
      title: "web is down",
      status: "investigating",
      severity: "P1",
      alert_category: "general",
      notification_type: "TYPE-3",
      affected_services: ["web"],
      operation_target: operation.target,
      hit_count: 1,
      first_seen: now,
      last_seen: now,
      created_at: now,
      updated_at: now,
    });
    const decision = {
      token: decisionToken(tx.random),
      incident_id: incident.incident_id,
      state: "analyzing" as const,
      source: "expert_system",
      rule_id: "test",
      summary: "restart",
      confidence: 0,
      proposal: { action: "Restart", operation, description: "restart", risk_level: risk, reasoning: "down" },
      policy: { outcome: "ask" as const, rule: "suggest", reason: "people decide" },
      created_at: now,
      ready_at: null,
      valid_until: now,
    };
    await insertDecision(tx, decision);
    const made = await requestApproval(tx, { incident, decision }, TERMS);
    return { ...made, incident_id: incident.incident_id, operation };
  });
}

/** The same, put before people. */
export async function presented(...about: Parameters<typeof asked>): Promise<Asked> {
  const made = await asked(...about);
  const pipeline = about[0].ctx({ kind: "system", name: "pipeline" }, about[1]);
  await publishApproval(pipeline, { approval_id: made.approval_id, checks: [] }, TERMS);
  return made;
}

/** The same, signed by these people. */
export async function approved(
  signers: readonly Person[],
  ...about: Parameters<typeof asked>
): Promise<Asked> {
  const made = await presented(...about);
  const ctxOf = (actor: Ctx["actor"]) => about[0].ctx(actor, about[1]);
  const { approval_id, plan_hash } = made;
  for (const signer of signers) await approve(ctxOf(signer), { approval_id, plan_hash }, TERMS);
  return made;
}
