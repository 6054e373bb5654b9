import { z } from "zod";
import { auditReport } from "./system.ts";

/** The result of an export or an import. */
const moveReport = z.object({
  /** `-` for standard output or input. */
  file: z.string(),
  rows: z.number().int(),
  /** Rows by table. */
  tables: z.record(z.string(), z.number().int()),
  /** Size of the file; null for standard output and input. */
  bytes: z.number().int().nullable(),
  /** Whether a server was using the database during the move. */
  served: z.boolean(),
  /** For an import: the check of the ledger after it. */
  ledger: auditReport.nullable(),
});
export type MoveReport = z.infer<typeof moveReport>;
