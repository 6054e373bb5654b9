import { z } from "zod";
import { wireText, wireTime } from "./common.ts";
import { operationTarget } from "./incident.ts";

/** A fact that was read of a system, with an id by which what is said can name it. */
export const evidenceItem = z.object({
  /** `E1`, `E2`, …: unique within one investigation. */
  id: z.string(),
  /** Who read it, as `kubernetes` or `ssh`. */
  source: z.string(),
  at: wireTime,
  /** What it is a fact about, as `pod/api-5f7c-x in prod`. */
  subject: z.string(),
  text: z.string(),
});
export type EvidenceItem = z.infer<typeof evidenceItem>;

/** What facts mean. */
export const finding = z.object({
  /** Names the kind of trouble, in lower case with underscores, as `image_not_found`: rules refer to it. */
  code: z.string(),
  /** `cause`: explains the trouble; `symptom`: follows from one; `note`: worth knowing. */
  weight: z.enum(["cause", "symptom", "note"]),
  /** One line, as `The image registry.example/web:1.3 does not exist`. */
  title: z.string(),
  /** What it means and what to look at or do, in a sentence or two. */
  meaning: z.string(),
  /** Ids of the evidence that it rests on; never empty. */
  evidence: z.array(z.string()).min(1),
});
export type Finding = z.infer<typeof finding>;

/** What was read of a target, and what it means: causes first. */
export const investigation = z.object({
  at: wireTime,
  /** The exact object: of a pod its deployment; null where it could not be found. */
  target: operationTarget.nullable(),
  evidence: z.array(evidenceItem),
  findings: z.array(finding),
  /** What could not be read, and why. */
  missing: z.array(z.string()),
});
export type Investigation = z.infer<typeof investigation>;

/** A target to be looked at; `unknown`: a name of which the kind is not known. */
export const diagnosisQuery = z.object({
  kind: z
    .string()
    .regex(/^[a-z][a-z0-9]{0,62}$/, "is not a kind, as deployment")
    .default("unknown"),
  name: wireText(253).min(1),
  namespace: wireText(253).min(1).optional(),
  cluster: wireText(253).min(1).optional(),
  host: wireText(253).min(1).optional(),
});
export type DiagnosisQuery = z.infer<typeof diagnosisQuery>;
