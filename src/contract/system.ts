import { z } from "zod";
import { wireTime } from "./common.ts";

export const health = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  started_at: wireTime,
  /** Whether all changes are stopped; null: not known. */
  frozen: z.boolean().nullable(),
  dependencies: z.record(z.string(), z.object({ status: z.enum(["ok", "down"]), detail: z.string() })),
});
export type Health = z.infer<typeof health>;

/** The configuration in force. */
export const configStatus = z.object({ hash: z.string(), loaded_at: wireTime });
export type ConfigStatus = z.infer<typeof configStatus>;

/** The settings that a reload changed, as dotted paths; empty when the configuration was in force already. */
export const reloaded = configStatus.extend({
  changed: z.array(z.string()),
  /** What takes effect later or not at all: sentences for people. */
  notes: z.array(z.string()).default([]),
});
export type Reloaded = z.infer<typeof reloaded>;

export const auditEntry = z.object({
  seq: z.number().int(),
  at: wireTime,
  actor_kind: z.string(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  data: z.record(z.string(), z.unknown()),
  prev_hash: z.string(),
  hash: z.string(),
});

export const auditReport = z.object({
  entries: z.number().int().describe("The position of the last entry verified"),
  broken_at: z.number().int().nullable(),
  reason: z.string().nullable(),
  head: z.string(),
  next: z
    .number()
    .int()
    .nullable()
    .describe("Where to continue, with `from` and this `head`; null: all is verified"),
});
/** The part of the ledger to check. */
export const auditRange = z.object({
  from: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(1),
  head: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not a hash")
    .optional(),
  limit: z.coerce.number().int().min(1).max(100_000).default(100_000),
});
