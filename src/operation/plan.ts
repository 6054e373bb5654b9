import { z } from "zod";
import { risk } from "../contract/common.ts";
import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import { operation } from "./types.ts";

/** Exactly what people sign: all that decides what will happen, to what, and by whose leave. */
export const plan = z.strictObject({
  version: z.literal(1),
  approval_id: z.string(),
  incident_id: z.string(),
  operation,
  risk_level: risk,
  required_signatures: z.number().int().min(1),
  /** The execution that it takes back. */
  undoes: z.string().optional(),
});
export type Plan = z.infer<typeof plan>;

/** SHA-256 of the plan's canonical JSON, in hexadecimal: another plan has another hash. */
export function planHash(value: Plan): string {
  return sha256(canonicalJson(plan.parse(value)));
}
