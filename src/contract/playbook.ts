import { z } from "zod";
import { actorKind, pageQuery, risk, severity, shownKind, wireText, wireTime } from "./common.ts";
import { operationTarget } from "./incident.ts";

export const playbookStatus = z.enum(["draft", "approved", "deprecated"]);
export type PlaybookStatus = z.infer<typeof playbookStatus>;

/** In a step: what the incident is about, as its operation target says. */
export const OWN_TARGET = "{target}";

/** What an incident looks like that a playbook is for. */
const symptomPattern = z.object({
  alert_names: z.array(z.string()),
  /** None: any. */
  services: z.array(z.string()),
  /** None: any. */
  severities: z.array(severity),
});
export type SymptomPattern = z.infer<typeof symptomPattern>;

const playbookStep = z.object({
  /** From 1. */
  order: z.number().int(),
  /** The kind of operation. */
  operation: z.string(),
  target: z.union([z.literal(OWN_TARGET), operationTarget]),
  parameters: z.record(z.string(), z.unknown()),
  risk,
});
export type PlaybookStep = z.infer<typeof playbookStep>;

export const playbook = z.object({
  playbook_id: z.string(),
  name: z.string(),
  description: z.string(),
  status: playbookStatus,
  pattern: symptomPattern,
  steps: z.array(playbookStep),
  /** Of pattern and steps: whoever approves it says which they have read. */
  hash: z.string(),
  runs: z.number().int(),
  successes: z.number().int(),
  failures: z.number().int(),
  /** null: it has never run. */
  success_rate: z.number().nullable(),
  /** 0 to 1; earned with verified runs, lost with one that failed. */
  trust: z.number(),
  source: z.enum(["manual", "extracted", "auto_learning"]),
  created_by: z.string(),
  created_by_kind: shownKind,
  /** Who approved it as it is; null: nobody. */
  approved_by: z.string().nullable(),
  /** null: nobody did. */
  approved_by_kind: actorKind.nullable().default(null),
  created_at: wireTime,
  updated_at: wireTime,
});
export type Playbook = z.infer<typeof playbook>;

export const playbookQuery = pageQuery.extend({ status: playbookStatus.optional() });
export type PlaybookQuery = z.infer<typeof playbookQuery>;

export const approvePlaybook = z.strictObject({
  /** The `hash` of what was read; without it, whatever the playbook is now. */
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not a hash (64 hexadecimal digits)")
    .optional(),
});

/** What a file of playbooks says, as its YAML or as what that holds. */
export const importPlaybooks = z.union([
  z.strictObject({ yaml: wireText(1_000_000).min(1) }),
  z.strictObject({ playbooks: z.array(z.unknown()).min(1).max(1_000) }),
]);

/** What became of each playbook of a file, in its order. */
export const importedPlaybooks = z.object({
  items: z.array(z.object({ result: z.enum(["created", "changed", "unchanged"]), playbook })),
});
export type ImportedPlaybooks = z.infer<typeof importedPlaybooks>;
