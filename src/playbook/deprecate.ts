import { authorise } from "../access/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { setStatus } from "./approve.ts";
import type { PlaybookRow } from "./types.ts";

/** Takes a playbook out of use; its counts are kept. It can be approved again. Throws `not_found`. */
export async function deprecatePlaybook(ctx: Ctx, playbook_id: string): Promise<PlaybookRow> {
  authorise(ctx.actor, "deprecate playbooks", { people: "approver" });
  return setStatus(ctx, playbook_id, "deprecated");
}
