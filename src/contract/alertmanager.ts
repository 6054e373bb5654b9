import { z } from "zod";
import { wireText } from "./common.ts";

/** A matcher with Alertmanager's own field names: camelCase, unlike ours. */
const alertmanagerMatcher = z.object({
  name: wireText(200).min(1),
  value: wireText(1_000),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
});

const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** The body of `POST /api/v2/silences`; with an id it changes that silence. */
export const postableSilence = z.object({
  id: wireText(100).optional(),
  matchers: z.array(alertmanagerMatcher).min(1).max(100),
  startsAt: time,
  endsAt: time,
  createdBy: wireText(200),
  comment: wireText(10_000),
});
export type PostableSilence = z.infer<typeof postableSilence>;

/** A query of matchers; several are given as `filter=…&filter=…`. */
export const silenceFilter = z.object({
  filter: z
    .union([z.string(), z.array(z.string())])
    .default([])
    .transform((given) => [given].flat()),
});
