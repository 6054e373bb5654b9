import { z } from "zod";
import { wireTime } from "./common.ts";

export const health = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  started_at: wireTime,
  /** Whether all changes are stopped; null: it cannot be told. */
  frozen: z.boolean().nullable(),
  dependencies: z.record(z.string(), z.object({ status: z.enum(["ok", "down"]), detail: z.string() })),
});
export type Health = z.infer<typeof health>;

/** Which configuration is in force. */
export const configStatus = z.object({ hash: z.string(), loaded_at: wireTime });
export type ConfigStatus = z.infer<typeof configStatus>;

/** The settings that a reload changed, dotted; none when it found what is in force already. */
export const reloaded = configStatus.extend({ changed: z.array(z.string()) });
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
  entries: z.number().int(),
  broken_at: z.number().int().nullable(),
  reason: z.string().nullable(),
  head: z.string(),
});
export type AuditReport = z.infer<typeof auditReport>;
