import { z } from "zod";
import { auditReport } from "./system.ts";

/** What an export or an import has moved. */
const moveReport = z.object({
  /** `-` for standard output or input. */
  file: z.string(),
  rows: z.number().int(),
  /** Rows by table. */
  tables: z.record(z.string(), z.number().int()),
  /** Of the file; null for standard output and input. */
  bytes: z.number().int().nullable(),
  /** Whether a server was using the database meanwhile. */
  served: z.boolean(),
  /** Of an import: whether the ledger is whole on this side. */
  ledger: auditReport.nullable(),
});
export type MoveReport = z.infer<typeof moveReport>;
