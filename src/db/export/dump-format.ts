import { z } from "zod";

/** Of the file: raised when an older version could not read it. */
export const FORMAT = 1;

/** Which tables there are: our own migrations, and the workflow engine's; null where it has none yet. */
const schemaVersion = z.object({
  migrations: z.number().int(),
  /** Hash of the last migration. */
  latest: z.string(),
  workflows: z.number().int().nullable(),
});
export type SchemaVersion = z.infer<typeof schemaVersion>;

const counts = z.record(z.string(), z.number().int());

/**
 * An export is lines of JSON in gzip: a head; for each table a line that names it and then a line for each
 * row, an array of its values as PostgreSQL writes them; and an end, without which it is not whole. Tables
 * come in an order in which each row finds what it refers to.
 */
export const dumpHead = z.object({
  awoooi_export: z.number().int(),
  created_at: z.string(),
  /** Of AWOOOI. */
  version: z.string(),
  schema: schemaVersion,
});
export type DumpHead = z.infer<typeof dumpHead>;

export const dumpTable = z.object({ table: z.string(), columns: z.array(z.string()) });

export const dumpEnd = z.object({
  tables: counts,
  /** Where each sequence stood: numbers of deleted rows are not given again. */
  sequences: counts,
  /** Of every line before this one. */
  sha256: z.string(),
});
