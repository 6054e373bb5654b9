import { z } from "zod";
import { actorKind, pageQuery, risk, severity, shownKind, wireText, wireTime } from "./common.ts";
import { operationTarget } from "./incident.ts";

export const playbookStatus = z.enum(["draft", "approved", "deprecated"]);
export type PlaybookStatus = z.infer<typeof playbookStatus>;

/** Stands in a step for the incident's operation target. */
export const OWN_TARGET = "{target}";

/** The incidents that a playbook matches. */
const symptomPattern = z.object({
  alert_names: z.array(z.string()),
  /** Empty: any. */
  services: z.array(z.string()),
  /** Empty: any. */
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
  /** Hash of pattern and steps: an approver sends it to say which version they have read. */
  hash: z.string(),
  runs: z.number().int(),
  successes: z.number().int(),
  failures: z.number().int(),
  /** null: it has never run. */
  success_rate: z.number().nullable(),
  /** 0 to 1; grows with verified runs, falls with failed ones. */
  trust: z.number(),
  source: z.enum(["manual", "extracted", "auto_learning"]),
  created_by: z.string(),
  created_by_kind: shownKind,
  /** Who approved the current version; null: it is not approved. */
  approved_by: z.string().nullable(),
  /** null: it is not approved. */
  approved_by_kind: actorKind.nullable().default(null),
  created_at: wireTime,
  updated_at: wireTime,
});
export type Playbook = z.infer<typeof playbook>;

export const playbookQuery = pageQuery.extend({ status: playbookStatus.optional() });
export type PlaybookQuery = z.infer<typeof playbookQuery>;

export const approvePlaybook = z.strictObject({
  /** The `hash` of the version that was read; without it, the current version is approved. */
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not a hash (64 hexadecimal digits)")
    .optional(),
});

/** The contents of a playbook file, as YAML or as the parsed list. */
export const importPlaybooks = z.union([
  z.strictObject({ yaml: wireText(1_000_000).min(1) }),
  z.strictObject({ playbooks: z.array(z.unknown()).min(1).max(1_000) }),
]);

/** The result for each playbook of a file, in the file's order. */
export const importedPlaybooks = z.object({
  items: z.array(z.object({ result: z.enum(["created", "changed", "unchanged"]), playbook })),
});
export type ImportedPlaybooks = z.infer<typeof importedPlaybooks>;
