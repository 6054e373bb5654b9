import { z } from "zod";
import { shownKind, wireText, wireTime } from "./common.ts";

const freeze = z.object({
  freeze_id: z.string(),
  why: z.string(),
  frozen_by: z.string(),
  frozen_by_kind: shownKind,
  since: wireTime,
  /** null: until a person lifts it. */
  until: wireTime.nullable(),
});

/** Whether changes are frozen now, and by what. */
export const freezeStatus = z.object({
  frozen: z.boolean(),
  /** `execution.frozen` is set, which only the configuration can lift. */
  by_configuration: z.boolean(),
  /** Freezes set by people; the one that ends last comes first. */
  freezes: z.array(freeze),
  /** Windows of the configuration that are open now. */
  windows: z.array(z.object({ name: z.string(), why: z.string() })),
  /** Executions that are acting now: a freeze does not stop what has begun. */
  under_way: z.array(z.string()),
});
export type FreezeStatus = z.infer<typeof freezeStatus>;

/** `duration` in seconds; without it, until a person lifts the freeze. */
export const freezeBody = z.strictObject({
  why: wireText(1_000).min(1),
  duration: z
    .number()
    .min(1)
    .max(366 * 86_400)
    .optional(),
});
