import { z } from "zod";
import { shownKind, wireText, wireTime } from "./common.ts";

const freeze = z.object({
  freeze_id: z.string(),
  why: z.string(),
  frozen_by: z.string(),
  frozen_by_kind: shownKind,
  since: wireTime,
  /** null: until somebody lifts it. */
  until: wireTime.nullable(),
});

/** Whether anything may be changed now, and what stops it. */
export const freezeStatus = z.object({
  frozen: z.boolean(),
  /** `execution.frozen` is set: only the configuration lifts that. */
  by_configuration: z.boolean(),
  /** Of people; the one that holds longest comes first. */
  freezes: z.array(freeze),
  /** Windows of the configuration that are open now. */
  windows: z.array(z.object({ name: z.string(), why: z.string() })),
  /** Executions that are acting now: what has begun is not stopped. */
  under_way: z.array(z.string()),
});
export type FreezeStatus = z.infer<typeof freezeStatus>;

/** `duration` in seconds; without it until somebody lifts it. */
export const freezeBody = z.strictObject({
  why: wireText(1_000).min(1),
  duration: z
    .number()
    .min(1)
    .max(366 * 86_400)
    .optional(),
});
