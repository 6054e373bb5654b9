import { z } from "zod";
import { pageOf, pageQuery, wireId } from "../../contract/common.ts";
import { type Lesson, lesson } from "../../contract/correlation.ts";
import { forgetLesson, type LessonRow, listLessons } from "../../incident/index.ts";
import type { ApiApp } from "../fastify.ts";

const params = z.object({ id: wireId });

function present(row: LessonRow): Lesson {
  const { lesson_id, fingerprint, title, other_fingerprint, other_title, taught_by, taught_at } = row;
  const troubles = [
    { fingerprint, title },
    { fingerprint: other_fingerprint, title: other_title },
  ];
  return {
    lesson_id,
    lesson: row.lesson,
    troubles,
    taught_by,
    taught_by_kind: "person" as const,
    taught_at: taught_at.toISOString(),
  };
}

/** Registers the routes for what people's merges and splits have taught about which incidents belong together. */
export function correlationRoutes(app: ApiApp): void {
  app.get(
    "/correlation/lessons",
    {
      schema: {
        summary: "Lessons from merges and splits, newest first",
        querystring: pageQuery,
        response: { 200: pageOf(lesson) },
      },
    },
    async ({ ctx, query }) => {
      const { rows, next_cursor } = await listLessons(ctx, query);
      return { items: rows.map(present), next_cursor };
    },
  );

  app.delete(
    "/correlation/lessons/:id",
    {
      schema: {
        "x-role": "responder",
        summary: "Delete a lesson; merged and split incidents stay so",
        params,
        response: { 200: lesson },
      },
    },
    async ({ ctx, params: { id } }) => present(await forgetLesson(ctx, { lesson_id: id })),
  );
}
