import { z } from "zod";

/** Version of the file format, raised when older versions could no longer read it. */
export const FORMAT = 1;

/** Schema version: our own migrations, and the workflow engine's (`workflows`, null if it has none yet). */
const schemaVersion = z.object({
  migrations: z.number().int(),
  /** Hash of the last migration. */
  latest: z.string(),
  workflows: z.number().int().nullable(),
});
export type SchemaVersion = z.infer<typeof schemaVersion>;

const counts = z.record(z.string(), z.number().int());

/**
 * An export is lines of JSON in gzip: a head; for each table a line that names it and then one line per row,
 * an array of its values as PostgreSQL writes them; and an end, without which it is incomplete. Each table
 * comes after the tables that it refers to.
 */
export const dumpHead = z.object({
  awoooi_export: z.number().int(),
  created_at: z.string(),
  /** Version of AWOOOI. */
  version: z.string(),
  schema: schemaVersion,
});
export type DumpHead = z.infer<typeof dumpHead>;

export const dumpTable = z.object({ table: z.string(), columns: z.array(z.string()) });

export const dumpEnd = z.object({
  tables: counts,
  /** Last value of each sequence, so that numbers of deleted rows are not reused. */
  sequences: counts,
  /** SHA-256 of every line before this one. */
  sha256: z.string(),
});
