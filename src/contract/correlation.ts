import { z } from "zod";
import { wireTime } from "./common.ts";

/** A lesson on two kinds of trouble, taught by a person who merged or split their incidents. */
export const lesson = z.object({
  lesson_id: z.string(),
  /** `together`: merged when they begin within the window; `apart`: never merged automatically. */
  lesson: z.enum(["together", "apart"]),
  troubles: z.array(z.object({ fingerprint: z.string(), title: z.string() })).length(2),
  taught_by: z.string(),
  /** Only people teach. */
  taught_by_kind: z.literal("person").default("person"),
  taught_at: wireTime,
});
export type Lesson = z.infer<typeof lesson>;
