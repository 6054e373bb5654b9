import { authorise } from "../access/index.ts";
import type { OperationTarget } from "../contract/incident.ts";
import type { Playbook, PlaybookQuery } from "../contract/playbook.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import { kindOf } from "../lib/actor.ts";
import { AwoooiError } from "../lib/error.ts";
import { approverLapse } from "./approver.ts";
import { hashOf } from "./hash.ts";
import { type Match, match, successRate } from "./match.ts";
import { approvedPlaybooks, findPlaybook, playbookPage, playbooksApprovedBy } from "./store.ts";
import type { MatchTerms, PlaybookRow, Symptoms } from "./types.ts";

/** Returns the playbook as the API shows it. */
export function presentPlaybook({ approved_by_person, approved_at, ...row }: PlaybookRow): Playbook {
  return {
    ...row,
    created_by_kind: kindOf(row.created_by_kind),
    approved_by_kind: row.approved_by === null ? null : kindOf(row.approved_by_kind),
    hash: hashOf(row),
    success_rate: successRate(row),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** Returns one playbook. Throws `not_found`. */
export async function getPlaybook(ctx: Ctx, playbook_id: string): Promise<PlaybookRow> {
  authorise(ctx.actor, "read playbooks", { people: "viewer", system: ["pipeline", "sweep"] });
  const row = await findPlaybook(ctx, playbook_id);
  if (row === undefined) throw new AwoooiError("not_found", `There is no playbook ${playbook_id}.`);
  return row;
}

/** Returns a page of playbooks, newest first. */
export async function listPlaybooks(
  ctx: Ctx,
  query: PlaybookQuery,
): Promise<{ rows: PlaybookRow[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read playbooks", { people: "viewer" });
  const rows = await playbookPage(ctx, query);
  return pageOf(rows, query.limit, (row) => ({ at: row.created_at, id: row.playbook_id }));
}

/** Returns the approved playbooks that a person approved; `lapsed` says why one no longer runs by itself. */
export async function approvedByPerson(
  ctx: Ctx,
  whose: { person_id: string; person: string },
): Promise<{ playbook_id: string; name: string; lapsed: string | null }[]> {
  authorise(ctx.actor, "read playbooks", { people: "viewer" });
  return Promise.all(
    (await playbooksApprovedBy(ctx, whose)).map(async (row) => ({
      playbook_id: row.playbook_id,
      name: row.name,
      lapsed: await approverLapse(ctx, row),
    })),
  );
}

/** Returns the playbook for this trouble, if there is one. */
export async function matchPlaybook(
  ctx: Ctx,
  about: Symptoms & { target: OperationTarget | null },
  terms: MatchTerms,
): Promise<Match | undefined> {
  authorise(ctx.actor, "match playbooks", { people: "viewer", system: ["intake", "sweep", "pipeline"] });
  return match(await approvedPlaybooks(ctx), about, terms);
}
