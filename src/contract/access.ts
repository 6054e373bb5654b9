import { z } from "zod";
import { role, wireText, wireTime } from "./common.ts";

const personName = wireText(100).trim().min(1);

export const token = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  name: z.string(),
  role,
  created_at: wireTime,
  created_by: z.string(),
  revoked_at: wireTime.nullable(),
});

/** `person` is whose token it is, by default `name`: a person signs once, with however many tokens. */
export const createToken = z.strictObject({ name: personName, role, person: personName.optional() });

/** The answer to creating one: the only time that the secret is shown. */
export const createdToken = z.object({
  token_id: z.string(),
  person_id: z.string(),
  person: z.string(),
  name: z.string(),
  role,
  token: z.string(),
});
