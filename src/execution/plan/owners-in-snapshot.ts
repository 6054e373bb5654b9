import { z } from "zod";
import type { ExecutionRow } from "../types.ts";

const known = z
  .object({ belongs_to: z.array(z.string()) })
  .nullish()
  .catch(null);

/** Returns the owners of a target that the system reported in the snapshot before the act. */
export const ownersInSnapshot = (before: ExecutionRow["before"]): string[] =>
  known.parse(before)?.belongs_to ?? [];
