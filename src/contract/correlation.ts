import { z } from "zod";
import { wireTime } from "./common.ts";

/** What people taught about two troubles by merging or splitting their incidents. */
export const lesson = z.object({
  lesson_id: z.string(),
  /** `together`: merged when they begin within the window; `apart`: never merged by themselves. */
  lesson: z.enum(["together", "apart"]),
  troubles: z.array(z.object({ fingerprint: z.string(), title: z.string() })).length(2),
  taught_by: z.string(),
  /** Nobody else teaches. */
  taught_by_kind: z.literal("person").default("person"),
  taught_at: wireTime,
});
export type Lesson = z.infer<typeof lesson>;
