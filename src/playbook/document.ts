import { parseDocument, stringify } from "yaml";
import { z } from "zod";
import { risk, severity, wireText } from "../contract/common.ts";
import { operationTarget } from "../contract/incident.ts";
import { OWN_TARGET, type Playbook, type PlaybookStep, type SymptomPattern } from "../contract/playbook.ts";
import { AwoooiError, type FieldError } from "../lib/error.ts";
import { SEVERITY } from "../lib/old-values.ts";
import { OPERATION_KINDS, operation, traitsOf } from "../operation/index.ts";
import { worseRisk } from "./steps.ts";

const KINDS = OPERATION_KINDS.filter((kind) => traitsOf({ kind }).scope !== "read");
const shapeOf = (kind: string) => operation.options.find((one) => one.shape.kind.value === kind)?.shape;

const word = wireText(253).trim().min(1);
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,99}$/, "may only have lower-case letters, digits and . _ -");

const step = z
  .strictObject({
    operation: z.enum(KINDS as [string, ...string[]], "is not an operation that changes something"),
    target: z.union([z.literal(OWN_TARGET), operationTarget]).default(OWN_TARGET),
    parameters: z.record(z.string(), z.unknown()).default({}),
    /** Defaults to the operation's own risk. */
    risk: risk.optional(),
  })
  .superRefine(({ operation: kind, target, parameters, ...one }, check) => {
    const shape = shapeOf(kind);
    if (shape === undefined) return;
    // The incident's target is known only later; the parameters are checked now.
    const judged =
      target === OWN_TARGET
        ? z.object({ parameters: shape.parameters as z.ZodType }).safeParse({ parameters })
        : operation.safeParse({ kind, target, parameters });
    for (const { path, message } of judged.error?.issues ?? [])
      check.addIssue({ code: "custom", path: [...path], message });
    const least = traitsOf({ kind: kind as (typeof KINDS)[number] }).risk;
    if (one.risk !== undefined && worseRisk(least, one.risk) !== one.risk)
      check.addIssue({
        code: "custom",
        path: ["risk"],
        message: `is lower than the operation's own risk, ${least}`,
      });
  });

const playbook = z.strictObject({
  name,
  description: wireText(2_000).default(""),
  pattern: z.strictObject({
    alert_names: z.array(word).min(1).max(100),
    services: z.array(word).max(100).default([]),
    // Maps older names of severities to the current ones; an unknown word stays, and is rejected.
    severities: z
      .array(z.preprocess((word) => SEVERITY.old.get(String(word).toLowerCase()) ?? word, severity))
      .max(4)
      .default([]),
  }),
  steps: z.array(step).min(1).max(20),
});

const file = z.strictObject({
  playbooks: z
    .array(playbook)
    .min(1)
    .max(1_000)
    .superRefine((list, check) => {
      for (const [index, { name: own }] of list.entries())
        if (list.findIndex((one) => one.name === own) < index)
          check.addIssue({ code: "custom", path: [index, "name"], message: "two playbooks have this name" });
    }),
});

/** A playbook as read from a document, with its defaults. */
export type WrittenPlaybook = {
  name: string;
  description: string;
  pattern: SymptomPattern;
  steps: PlaybookStep[];
};

const invalid = (errors: FieldError[]) =>
  new AwoooiError("invalid", "These playbooks are not valid.", { errors });

function written(one: z.infer<typeof playbook>): WrittenPlaybook {
  const steps = one.steps.map(({ operation: kind, risk: own, ...rest }, index): PlaybookStep => {
    const least = traitsOf({ kind: kind as (typeof KINDS)[number] }).risk;
    return { order: index + 1, operation: kind, ...rest, risk: own ?? least };
  });
  return { ...one, steps };
}

/** Returns the playbooks in `given`, the parsed contents of a file. Throws `invalid` with every error. */
export function readPlaybooks(given: unknown): WrittenPlaybook[] {
  const result = file.safeParse(given);
  if (result.success) return result.data.playbooks.map(written);
  throw invalid(result.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
}

/** Parses playbooks from YAML. Throws `invalid` with every error. */
export function parsePlaybooks(yaml: string): WrittenPlaybook[] {
  // Aliases are rejected below: they could expand a small file to a huge one.
  const document = parseDocument(yaml);
  if (document.errors.length > 0)
    throw invalid(document.errors.map(({ message }) => ({ path: "", message })));
  let given: unknown;
  try {
    given = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw invalid([{ path: "", message: "aliases are not allowed" }]);
  }
  return readPlaybooks(given);
}

/** Returns playbooks as YAML that `parsePlaybooks` reads, without status and run history. */
export function writePlaybooks(list: readonly Playbook[]): string {
  const playbooks = list.map(({ name: own, description, pattern, steps }) => ({
    name: own,
    description,
    pattern,
    steps: steps.map(({ order: _, ...one }) => one),
  }));
  return stringify({ playbooks }, { lineWidth: 110 });
}
