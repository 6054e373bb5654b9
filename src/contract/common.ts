import { z } from "zod";
// Installs the error messages for all zod schemas.
import "./invalid-words.ts";

/** Text that PostgreSQL can store: no NUL, no lone surrogate. */
export const wireText = (max: number) =>
  z
    .string()
    .max(max)
    .refine((text) => !text.includes("\0") && text.isWellFormed(), "must be well-formed text without NUL");

/** An id in a path: other strings cannot be the id of anything. */
export const wireId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, "is not an id");

/** RFC 3339 in UTC. */
export const wireTime = z.iso.datetime();

export const severity = z.enum(["P0", "P1", "P2", "P3"]);
export const risk = z.enum(["low", "medium", "high", "critical"]);
export const role = z.enum(["viewer", "responder", "approver", "admin"]);

/**
 * Who did something: a person with a token, a part of AWOOOI, a sender of alerts, or a policy of the installation.
 * `unknown`: the row was written before the kind was stored.
 */
export const actorKind = z.enum(["person", "system", "sender", "policy", "unknown"]);
export type ActorKind = z.infer<typeof actorKind>;
/** `actorKind` in an answer: `unknown` where an older server omits it. */
export const shownKind = actorKind.default("unknown");

export type Severity = z.infer<typeof severity>;
export type Risk = z.infer<typeof risk>;

/** Query of a page, newest first, with keyset paging: `cursor` is the `next_cursor` of the previous page. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,200}$/, "is not a cursor")
    .optional(),
});

export type PageQuery = z.infer<typeof pageQuery>;

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() });
export type Page<T> = { items: T[]; next_cursor: string | null };

/** RFC 9457 problem, with our error code, the invalid fields, and the log reference of an unexpected error. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  reference: z.string().optional(),
});
export type Problem = z.infer<typeof problem>;
