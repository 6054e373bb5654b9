import { z } from "zod";
import { wireTime } from "./common.ts";

const counts = z.record(z.string(), z.number().int());

/** Tables that belong together. `rows` is PostgreSQL's own estimate; `bytes` counts indexes and what is free in them. */
const storageGroup = z.object({
  name: z.string(),
  rows: z.number().int(),
  bytes: z.number().int(),
  oldest: wireTime.nullable(),
  /** Seconds; null for ever. */
  kept_for: z.number().nullable(),
});

const pruneRun = z.object({
  started_at: wireTime,
  took_ms: z.number().int(),
  /** False while it goes on, and when an error or a stop ended it early: the next run does the rest. */
  finished: z.boolean(),
  /** Rows by table, or by what they are where one table holds several things. */
  deleted: counts,
  /** Who asked for it; null when it was due. */
  asked_by: z.string().nullable(),
  error: z.string().nullable(),
});
export type PruneRun = z.infer<typeof pruneRun>;

export const storageReport = z.object({
  groups: z.array(storageGroup),
  /** The whole database on disk. */
  database_bytes: z.number().int(),
  /** What is free on the disk of the data directory; null when the database is not the embedded one. */
  disk_free_bytes: z.number().int().nullable(),
  /** The latest run of this server. */
  last_run: pruneRun.nullable(),
});
export type StorageReport = z.infer<typeof storageReport>;

export const pruneBody = z.strictObject({ dry_run: z.boolean().default(false) });

/** `rows` were deleted, or would be by a run now. `finished` is false when the run goes on in the background. */
export const pruneAnswer = z.object({ dry_run: z.boolean(), finished: z.boolean(), rows: counts });
export type PruneAnswer = z.infer<typeof pruneAnswer>;
