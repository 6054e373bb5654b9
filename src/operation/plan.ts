import { z } from "zod";
import { risk } from "../contract/common.ts";
import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import { inWords, type Operation, operation } from "./operation.ts";

/** Name of an installation. */
export const projectName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "has letters, digits, dots, hyphens and underscores, at most 64");

const fields = z.strictObject({
  version: z.literal(1),
  approval_id: z.string(),
  incident_id: z.string(),
  /** The installation in which it was signed; absent in plans from before installations had names. */
  project: projectName.optional(),
  operation,
  risk_level: risk,
  required_signatures: z.number().int().min(0),
  /** The execution that this plan undoes. */
  undoes: z.string().optional(),
  /** Steps after `operation`, in order; each runs only if the previous one succeeded. */
  further: z.array(operation).min(1).max(19).optional(),
  /** The playbook that the steps come from. */
  playbook_id: z.string().optional(),
  /** Hash of the playbook's pattern and steps when the plan was made; it differs once the playbook changes. */
  playbook_hash: z.string().optional(),
  /** Hash of the configuration that each step uses; null: it uses none. Absent in older plans. */
  configured: z.array(z.string().nullable()).min(1).max(20).optional(),
  /** Policy allowed it: no person signs it. */
  authority: z.literal("policy").optional(),
  /** Policy allowed it although its playbook has never run. */
  cold_start: z.literal(true).optional(),
});

/** Exactly what people sign: what will happen, to which target, and on whose authority. */
export const plan = fields.refine(
  ({ authority, required_signatures }) => (authority === "policy") === (required_signatures === 0),
  { path: ["required_signatures"], message: "only what policy allowed needs no signature" },
);
export type Plan = z.infer<typeof plan>;

/** Returns the SHA-256 of the plan's canonical JSON, in hexadecimal. */
export function planHash(value: Plan): string {
  return sha256(canonicalJson(plan.parse(value)));
}

/** Returns the operations of a plan, in order. */
export function stepsOf({
  operation: first,
  further = [],
}: Pick<Plan, "operation" | "further">): Operation[] {
  return [first, ...further];
}

/** Returns the plan with another operation at this step, from 1; unchanged when there is no such step. */
export function withStep(one: Plan, place: number, other: Operation): Plan {
  const [first = other, ...further] = stepsOf(one).map((step, at) => (at + 1 === place ? other : step));
  return { ...one, operation: first, ...(further.length === 0 ? {} : { further }) };
}

/** Describes all steps: `Cordon node n1, then restart process shop`. */
export function stepsInWords(steps: readonly Operation[]): string {
  return steps
    .map(inWords)
    .map((text, at) => (at === 0 ? text : text.charAt(0).toLowerCase() + text.slice(1)))
    .join(", then ");
}
