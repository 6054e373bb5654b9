import type { Severity } from "../contract/common.ts";
import type { Notice } from "../outbox/index.ts";

/** A notice in words, with what a channel needs to show it; each notifier cuts it to its channel's limits. */
export type Card = {
  /** Unique per notice and the same in every retry: a receiver can deduplicate by it. */
  id: string;
  topic: Notice["topic"];
  /** null: the notice is about no incident. */
  incident_id: string | null;
  severity: Severity;
  title: string;
  lines: string[];
  approval: { approval_id: string; plan_hash: string; required_signatures: number } | null;
  at: string;
};

export type SendResult = { ok: true } | { ok: false; error: string; retryable: boolean };

/** The port of a notification channel. */
export type Notifier = { id: string; send(card: Card, signal: AbortSignal): Promise<SendResult> };
