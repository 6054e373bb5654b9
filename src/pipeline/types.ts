import type { ApprovalTerms } from "../approval/index.ts";
import type { SilencedBy } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import type { DecideOptions } from "../decision/index.ts";
import type { RunOptions } from "../execution/index.ts";
import type { CorrelationOptions, IncidentWindows, KnownTargets } from "../incident/index.ts";
import type { Classification, HeartbeatTerms, Source } from "../intake/index.ts";
import type { EvidenceTerms, Investigator } from "../investigation/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { Muting } from "../silence/index.ts";
import type { Observer, VerificationTerms } from "../verification/index.ts";
import type { IntakeUptime } from "./intake/intake-uptime.ts";

/** The committed outcome of a receipt; `error` says what was not understood. */
export type Received = {
  seq: number;
  source: string;
  sender: string;
  /** Size of the body. */
  bytes: number;
  /** It had been a dead letter before. */
  replayed: boolean;
  alerts: readonly { status: "firing" | "resolved"; fingerprint: string }[];
  error: string | null;
  /** The body held more than is processed of one. */
  truncated?: boolean;
};

/** The pipeline's ports and settings, bound by the app for each configuration. */
export type PipelineDeps = {
  /** Returns a context of the given part of the system. */
  as: (name: Extract<Actor, { kind: "system" }>["name"]) => Ctx;
  sources: readonly Source[];
  /** Decides which alerts are silenced. */
  muting: Muting;
  classification: Classification;
  /** Seconds that a repeated alert keeps firing after its last receipt, where its sender does not say. */
  resolve_timeout: number;
  /** Heartbeats whose absence raises an alert. */
  heartbeats: HeartbeatTerms;
  /** Since when senders could reach the server. */
  intake_uptime: IntakeUptime;
  /** Maximum number of alerts processed per body. */
  alerts_per_body: number;
  /** Seconds within which signals of one fingerprint count once. */
  debounce: number;
  windows: IncidentWindows;
  correlation: CorrelationOptions;
  known: KnownTargets;
  decide: DecideOptions;
  approval: ApprovalTerms;
  run: RunOptions;
  observers: readonly Observer[];
  /** Read facts about targets; `evidence` bounds their time. */
  investigators: readonly Investigator[];
  evidence: EvidenceTerms;
  verification: VerificationTerms;
  /** Called for every receipt that was processed or kept as a dead letter. */
  onReceived: (received: Received) => void;
  /** Called with what silenced each newly silenced alert. */
  onSilenced: (by: readonly SilencedBy["by"][]) => void;
};
