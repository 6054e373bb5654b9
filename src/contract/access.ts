import { z } from "zod";
import { role, shownKind, wireText, wireTime } from "./common.ts";

const personName = wireText(100).trim().min(1);

export const token = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  name: z.string(),
  role,
  created_at: wireTime,
  created_by: z.string(),
  created_by_kind: shownKind,
  revoked_at: wireTime.nullable(),
  /** Revoked on good terms: what was signed until then still counts. */
  keeps_signatures: z.boolean().default(false),
});

/** `person` is whose token it is, by default `name`: a person signs once, with however many tokens. */
export const createToken = z.strictObject({ name: personName, role, person: personName.optional() });

/** `keep_signatures`: its person leaves on good terms, and what they have signed until now still counts. */
export const revokeToken = z.strictObject({ keep_signatures: z.boolean().optional() });

/** What the person of a token has in force beside signatures: it stays when the token is revoked. */
export const inForce = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  /** They go on silencing alerts. */
  silences: z.array(z.object({ silence_id: z.string(), comment: z.string(), ends_at: wireTime })),
  /** They go on answering for trouble; `lapsed` says why one does not run by itself any more, null: it does. */
  playbooks: z.array(z.object({ playbook_id: z.string(), name: z.string(), lapsed: z.string().nullable() })),
});

/** The answer to creating one: the only time that the secret is shown. */
export const createdToken = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  name: z.string(),
  role,
  token: z.string(),
});
