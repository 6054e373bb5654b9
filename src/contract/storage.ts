import { z } from "zod";
import { wireTime } from "./common.ts";

const counts = z.record(z.string(), z.number().int());

/** A group of related tables. `rows` is PostgreSQL's own estimate; `bytes` includes indexes and free space. */
const storageGroup = z.object({
  name: z.string(),
  rows: z.number().int(),
  bytes: z.number().int(),
  oldest: wireTime.nullable(),
  /** Retention in seconds; null: for ever. */
  kept_for: z.number().nullable(),
});

const pruneRun = z.object({
  started_at: wireTime,
  took_ms: z.number().int(),
  /** False while it runs, and when an error or a stop ended it early: the next run does the rest. */
  finished: z.boolean(),
  /** Rows by table, or by kind where one table holds several kinds. */
  deleted: counts,
  /** Who requested it; null: it ran on schedule. */
  asked_by: z.string().nullable(),
  error: z.string().nullable(),
});
export type PruneRun = z.infer<typeof pruneRun>;

export const storageReport = z.object({
  groups: z.array(storageGroup),
  /** Size of the whole database on disk. */
  database_bytes: z.number().int(),
  /** Free space on the data directory's disk; null when the database is not the embedded one. */
  disk_free_bytes: z.number().int().nullable(),
  /** The latest run of this server. */
  last_run: pruneRun.nullable(),
});
export type StorageReport = z.infer<typeof storageReport>;

export const pruneBody = z.strictObject({ dry_run: z.boolean().default(false) });

/** `rows`: deleted, or with `dry_run` those that would be. `finished` is false when the run goes on in the background. */
export const pruneAnswer = z.object({ dry_run: z.boolean(), finished: z.boolean(), rows: counts });
export type PruneAnswer = z.infer<typeof pruneAnswer>;
