import { z } from "zod";
import type { ExecutionRow } from "./types.ts";

const known = z
  .object({ belongs_to: z.array(z.string()) })
  .nullish()
  .catch(null);

/** What the system said that a target belongs to when it was looked at before the act. */
export const ownersIn = (before: ExecutionRow["before"]): string[] => known.parse(before)?.belongs_to ?? [];
