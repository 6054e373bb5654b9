import { getApproval, presentApproval, withdrawApproval } from "../approval/index.ts";
import type { Check } from "../contract/approval.ts";
import { transaction } from "../db/transaction.ts";
import { type Preparation, prepareExecution } from "../execution/index.ts";
import { note } from "../incident/index.ts";
import { wait } from "../lib/wait.ts";
import { look } from "../verification/index.ts";
import { step } from "./step.ts";
import type { Journey } from "./types.ts";

// Kept back from the decision's time for writing down and showing what was gathered.
const RESERVE_SECONDS = 2;

/** What can be found out in the time there is; what is not there by then is said to be missing. */
async function gather(journey: Journey, approval_id: string): Promise<Preparation> {
  const ctx = journey.as("pipeline");
  const approval = await getApproval(ctx, approval_id);
  const { operation, incident_id } = approval.plan;
  const nothing = { operation, diff: null, affected_pods: 0, impossible: null };
  if (approval.status !== "preparing") return { ...nothing, checks: [] };
  const left = (approval.prepare_until.getTime() - ctx.clock.now().getTime()) / 1000 - RESERVE_SECONDS;
  const gathering = (async (): Promise<Preparation> => {
    const seen = await look(
      journey.observers,
      operation.target,
      ctx.clock,
      journey.verification.look_timeout,
    );
    if (seen !== null) {
      const facts = seen.facts.map((fact) => `${fact.name}: ${fact.message}`).join("; ");
      const text = `Seen now: ${facts}`;
      await transaction(ctx, (tx) =>
        note(tx, { incident_id, kind: "decision", text, data: { observation: seen } }),
      );
    }
    return prepareExecution(ctx, { incident_id, operation }, journey.run.gateway);
  })();
  const stop = new AbortController();
  const late: Check = {
    name: "dry-run",
    passed: false,
    message: "it did not finish in the time for a decision",
  };
  const bound = wait(Math.max(left, 0) * 1000, stop.signal).then(() => ({
    ...nothing,
    checks: [late],
  }));
  try {
    return await Promise.race([gathering, bound]);
  } finally {
    stop.abort();
  }
}

/** Gathers the evidence of a plan and puts it before people. */
export async function prepare(journey: Journey, approval_id: string): Promise<void> {
  const { impossible, ...prepared } = await step("gather", () => gather(journey, approval_id));
  await step("present", async () => {
    const ctx = journey.as("pipeline");
    if (impossible !== null) return withdrawApproval(ctx, { approval_id, reason: impossible });
    return presentApproval(ctx, { approval_id, ...prepared }, journey.approval);
  });
}
