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
  /** Revoked on good terms: signatures made until then still count. */
  keeps_signatures: z.boolean().default(false),
});

/** `person` is the token's owner, by default `name`: a person signs once, however many tokens they have. */
export const createToken = z.strictObject({ name: personName, role, person: personName.optional() });

/** `keep_signatures`: the person leaves on good terms, and their signatures until now still count. */
export const revokeToken = z.strictObject({ keep_signatures: z.boolean().optional() });

/** What a token's person has in force besides signatures: it stays in force when the token is revoked. */
export const inForce = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  /** Their silences, which stay in force. */
  silences: z.array(z.object({ silence_id: z.string(), comment: z.string(), ends_at: wireTime })),
  /** Playbooks they approved, which still match incidents; `lapsed`: why one no longer runs by itself; null: it does. */
  playbooks: z.array(z.object({ playbook_id: z.string(), name: z.string(), lapsed: z.string().nullable() })),
});

/** The answer to creating a token: the only time that its secret is shown. */
export const createdToken = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  name: z.string(),
  role,
  token: z.string(),
});
