import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { PageQuery } from "../../contract/common.ts";
import type { Ctx } from "../../db/ctx.ts";
import { pageOf } from "../../db/page.ts";
import { transaction } from "../../db/transaction.ts";
import { actorLabel } from "../../lib/actor.ts";
import { AwoooiError } from "../../lib/error.ts";
import { prefixedId } from "../../lib/id.ts";
import type { IncidentRow } from "../types.ts";
import { deleteLesson, keepLesson, lessonPage } from "./store.ts";
import type { LessonRow } from "./types.ts";

type LessonSide = Pick<IncidentRow, "fingerprint" | "title">;

/** Stores a person's merge or split of two incidents as a lesson for the next time. Does nothing for other actors. */
export async function storeLesson(
  ctx: Ctx,
  lesson: LessonRow["lesson"],
  one: LessonSide,
  other: LessonSide,
): Promise<void> {
  authorise(ctx.actor, "record lessons", { people: "responder" });
  // Two incidents of one fingerprint are one reopened, or follow each other: there is no lesson in that.
  if (ctx.actor.kind !== "person" || one.fingerprint === other.fingerprint) return;
  const [first, second] = one.fingerprint < other.fingerprint ? [one, other] : [other, one];
  const lesson_id = prefixedId("LES", ctx.random);
  await keepLesson(ctx, {
    lesson_id,
    fingerprint: first.fingerprint,
    other_fingerprint: second.fingerprint,
    lesson,
    title: first.title,
    other_title: second.title,
    taught_by: actorLabel(ctx.actor),
    person_id: ctx.actor.person_id,
    taught_at: ctx.clock.now(),
  });
  const data = { lesson, fingerprints: [first.fingerprint, second.fingerprint] };
  record(ctx, { action: "correlation.taught", subject: lesson_id, data });
}

/** Returns a page of lessons, newest first. */
export async function listLessons(
  ctx: Ctx,
  query: PageQuery,
): Promise<{ rows: LessonRow[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read lessons", { people: "viewer" });
  const rows = await lessonPage(ctx, query.limit, query.cursor);
  return pageOf(rows, query.limit, (row) => ({ at: row.taught_at, id: row.lesson_id }));
}

/** Deletes a lesson; what was merged or split because of it stays so. Throws `not_found`. */
export async function forgetLesson(ctx: Ctx, input: { lesson_id: string }): Promise<LessonRow> {
  authorise(ctx.actor, "delete lessons", { people: "responder" });
  const { lesson_id } = input;
  return transaction(ctx, async (tx) => {
    const row = await deleteLesson(tx, lesson_id);
    if (row === undefined) throw new AwoooiError("not_found", `There is no lesson ${lesson_id}.`);
    record(tx, { action: "correlation.forgotten", subject: lesson_id, data: { lesson: row.lesson } });
    return row;
  });
}
