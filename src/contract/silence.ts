import { z } from "zod";
import { actorKind, pageQuery, shownKind, wireText, wireTime } from "./common.ts";
import { matcherSchema } from "./matcher.ts";

/** What silences an alert. `id`: a silence's id, a maintenance window's name, or the id of the inhibiting alert. */
export const silencedBy = z.object({
  by: z.enum(["silence", "maintenance", "inhibition"]),
  id: z.string(),
});
export type SilencedBy = z.infer<typeof silencedBy>;

export const silenceStatus = z.enum(["pending", "active", "expired"]);

export const silence = z.object({
  silence_id: z.string(),
  status: silenceStatus,
  matchers: z.array(matcherSchema),
  starts_at: wireTime,
  ends_at: wireTime,
  created_by: z.string(),
  created_by_kind: shownKind,
  /** Why the silence was made. */
  comment: z.string(),
  /** The incident that it was made from. */
  incident_id: z.string().nullable(),
  /** Who ended it before its time; null: it was not ended early. */
  ended_by: z.string().nullable(),
  /** null: it was not ended early. */
  ended_by_kind: actorKind.nullable().default(null),
  created_at: wireTime,
  updated_at: wireTime,
});
export type Silence = z.infer<typeof silence>;

const seconds = z
  .number()
  .min(1)
  .max(366 * 86_400);
const why = wireText(10_000).min(1);

/** A silence from now on where no start is given; until `ends_at`, or for `duration` seconds. */
export const createSilence = z
  .strictObject({
    matchers: z.array(matcherSchema).min(1).max(100),
    starts_at: wireTime.optional(),
    ends_at: wireTime.optional(),
    duration: seconds.optional(),
    comment: why,
  })
  .refine(({ ends_at, duration }) => (ends_at === undefined) !== (duration === undefined), {
    path: ["ends_at"],
    message: "give either this or duration",
  });

/** `duration` in seconds. */
export const silenceIncident = z.strictObject({ duration: seconds, comment: why });

/** Changes the end or comment of a silence and, while it has not begun, its start. */
export const updateSilence = z.strictObject({
  starts_at: wireTime.optional(),
  ends_at: wireTime.optional(),
  comment: why.optional(),
});

export const silenceQuery = pageQuery.extend({ status: silenceStatus.optional() });
export type SilenceQuery = z.infer<typeof silenceQuery>;

export const alertQuery = pageQuery.extend({
  status: z.enum(["firing", "resolved"]).optional(),
  silenced: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .optional(),
});
export type AlertQuery = z.infer<typeof alertQuery>;
