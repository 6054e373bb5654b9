import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { lockPlaybook, updatePlaybook } from "./store.ts";
import { trustAfter } from "./trust.ts";

const ADMISSION = { people: "nobody", system: ["pipeline", "sweep", "intake"] } as const;

/** Counts a run of a playbook, in the transaction that found out what it came to; none that is gone. */
export async function recordRun(
  ctx: Ctx,
  run: { playbook_id: string; success: boolean; execution_id: string },
): Promise<void> {
  authorise(ctx.actor, "count runs of playbooks", ADMISSION);
  const { playbook_id, success, execution_id } = run;
  const before = await lockPlaybook(ctx, playbook_id);
  if (before === undefined) return;
  const trust = trustAfter(before.trust, success);
  const runs = before.runs + 1;
  const successes = before.successes + (success ? 1 : 0);
  const failures = before.failures + (success ? 0 : 1);
  await updatePlaybook(ctx, playbook_id, { runs, successes, failures, trust });
  const data = { execution_id, success, runs, successes, failures, trust };
  record(ctx, { action: "playbook.ran", subject: playbook_id, data });
}

/** A run that had counted as a success did not hold, or people took it back: it counts as failed from now on. */
export async function recordRunNotHeld(
  ctx: Ctx,
  run: { playbook_id: string; execution_id: string },
): Promise<void> {
  authorise(ctx.actor, "count runs of playbooks", ADMISSION);
  const { playbook_id, execution_id } = run;
  const before = await lockPlaybook(ctx, playbook_id);
  if (before === undefined || before.successes === 0) return;
  const [successes, failures] = [before.successes - 1, before.failures + 1];
  const trust = trustAfter(before.trust, false);
  await updatePlaybook(ctx, playbook_id, { successes, failures, trust });
  const data = { execution_id, successes, failures, trust };
  record(ctx, { action: "playbook.not_held", subject: playbook_id, data });
}
