import { z } from "zod";
import { risk } from "../contract/common.ts";
import { canonicalJson, sha256 } from "../lib/canonical-json.ts";
import { inWords, type Operation, operation } from "./operation.ts";

/** What an installation calls itself. */
export const projectName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, "has letters, digits, dots, hyphens and underscores, at most 64");

const fields = z.strictObject({
  version: z.literal(1),
  approval_id: z.string(),
  incident_id: z.string(),
  /** The installation that it was signed in; plans from before installations had names have none. */
  project: projectName.optional(),
  operation,
  risk_level: risk,
  required_signatures: z.number().int().min(0),
  /** The execution that it takes back. */
  undoes: z.string().optional(),
  /** What is done after `operation`, in order, each when the one before has worked. */
  further: z.array(operation).min(1).max(19).optional(),
  /** Whose steps these are. */
  playbook_id: z.string().optional(),
  /** What that playbook was for and did when the plan was made: changed, it is another. */
  playbook_hash: z.string().optional(),
  /** Of each step all that is configured of what it does, as a hash; null where nothing is. Older plans have none. */
  configured: z.array(z.string().nullable()).min(1).max(20).optional(),
  /** No person has signed it, and none needs to: policy allowed it. */
  authority: z.literal("policy").optional(),
  /** Policy allowed it although its playbook had never run. */
  cold_start: z.literal(true).optional(),
});

/** Exactly what people sign: all that decides what will happen, to what, and by whose leave. */
export const plan = fields.refine(
  ({ authority, required_signatures }) => (authority === "policy") === (required_signatures === 0),
  { path: ["required_signatures"], message: "only what policy allowed needs no signature" },
);
export type Plan = z.infer<typeof plan>;

/** SHA-256 of the plan's canonical JSON, in hexadecimal: another plan has another hash. */
export function planHash(value: Plan): string {
  return sha256(canonicalJson(plan.parse(value)));
}

/** All that a plan does, in order. */
export function stepsOf({
  operation: first,
  further = [],
}: Pick<Plan, "operation" | "further">): Operation[] {
  return [first, ...further];
}

/** The plan with another operation at this place, from 1; as it is where there is none. */
export function withStep(one: Plan, place: number, other: Operation): Plan {
  const [first = other, ...further] = stepsOf(one).map((step, at) => (at + 1 === place ? other : step));
  return { ...one, operation: first, ...(further.length === 0 ? {} : { further }) };
}

/** All of it in words: `Cordon node n1, then restart process shop`. */
export function stepsInWords(steps: readonly Operation[]): string {
  return steps
    .map(inWords)
    .map((text, at) => (at === 0 ? text : text.charAt(0).toLowerCase() + text.slice(1)))
    .join(", then ");
}
