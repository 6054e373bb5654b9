import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { hashOf } from "./hash.ts";
import { lockPlaybook, updatePlaybook } from "./store.ts";
import { trustAfter } from "./trust.ts";
import type { PlaybookRow } from "./types.ts";

const ADMISSION = { people: "none", system: ["pipeline", "sweep", "intake"] } as const;

/** `playbook_hash`: the hash of the version that ran. */
type Run = { playbook_id: string; playbook_hash?: string | undefined; execution_id: string };

/** Whether the playbook has changed since the run: the new version has its own counts and trust. */
const isAnother = (now: PlaybookRow, { playbook_hash }: Run) =>
  playbook_hash !== undefined && hashOf(now) !== playbook_hash;

/** Counts a run of a playbook, in the transaction that determines its result. Skips a playbook that was deleted or changed. */
export async function recordRun(ctx: Ctx, run: Run & { success: boolean }): Promise<void> {
  authorise(ctx.actor, "count runs of playbooks", ADMISSION);
  const { playbook_id, success, execution_id } = run;
  const before = await lockPlaybook(ctx, playbook_id);
  if (before === undefined || isAnother(before, run)) return;
  const trust = trustAfter(before.trust, success);
  const runs = before.runs + 1;
  const successes = before.successes + (success ? 1 : 0);
  const failures = before.failures + (success ? 0 : 1);
  await updatePlaybook(ctx, playbook_id, { runs, successes, failures, trust });
  const data = { execution_id, success, runs, successes, failures, trust };
  record(ctx, { action: "playbook.ran", subject: playbook_id, data });
}

/** Turns a successful run into a failure: the repair did not hold, or people undid it. */
export async function recordRunNotHeld(ctx: Ctx, run: Run): Promise<void> {
  authorise(ctx.actor, "count runs of playbooks", ADMISSION);
  const { playbook_id, execution_id } = run;
  const before = await lockPlaybook(ctx, playbook_id);
  if (before === undefined || isAnother(before, run) || before.successes === 0) return;
  const [successes, failures] = [before.successes - 1, before.failures + 1];
  const trust = trustAfter(before.trust, false);
  await updatePlaybook(ctx, playbook_id, { successes, failures, trust });
  const data = { execution_id, successes, failures, trust };
  record(ctx, { action: "playbook.not_held", subject: playbook_id, data });
}
