import { z } from "zod";
import { risk } from "../contract/common.ts";
import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import { operation } from "./types.ts";

/** What an installation calls itself. */
export const projectName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "has letters, digits, dots, hyphens and underscores, at most 64");

/** Exactly what people sign: all that decides what will happen, to what, and by whose leave. */
export const plan = z.strictObject({
  version: z.literal(1),
  approval_id: z.string(),
  incident_id: z.string(),
  /** The installation that it was signed in; plans from before installations had names have none. */
  project: projectName.optional(),
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
