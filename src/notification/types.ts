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

/** `message_id`: the channel's own name for the message, at most 200 characters, by which it can be edited and replied to. */
type Sent = { ok: true; message_id?: string };
/** `retry_after`: the seconds that the channel asks to wait before its next message, up to an hour. */
type NotSent = { ok: false; error: string; retryable: boolean; retry_after?: number };
export type SendResult = Sent | NotSent;

/** What a notifier needs besides the card. */
type Sending = {
  signal: AbortSignal;
  /**
   * The channel's first message about the same incident, if `threads` is set and there is one. If that is gone, the
   * channel sends its message all the same.
   */
  reply_to: string | null;
};

/** The port of a notification channel. Only `id` and `send` are required. */
export type Notifier = {
  id: string;
  /** The most messages that the channel takes in a time, without edits. More wait, in order. */
  rate?: { messages: number; seconds: number };
  /** Whether its messages can reply to earlier ones. */
  threads?: true;
  send(card: Card, sending: Sending): Promise<SendResult>;
  /**
   * Shows a newer card in place of an earlier message. It is called for the request to sign a plan, once the plan can no
   * longer be signed, and may be called again with the same card. A message that is gone is a failure that is final.
   */
  edit?(message_id: string, card: Card, signal: AbortSignal): Promise<SendResult>;
};
