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

/** What became of a receipt, once that is committed; `error` says what of it was not understood. */
export type Received = {
  seq: number;
  source: string;
  sender: string;
  /** Of the body. */
  bytes: number;
  /** It had been a dead letter before. */
  replayed: boolean;
  alerts: readonly { status: "firing" | "resolved"; fingerprint: string }[];
  error: string | null;
  /** More was in it than is understood of one body. */
  truncated?: boolean;
};

/** What the pipeline is given: ports and settings, bound by the app for each configuration. */
export type PipelineDeps = {
  /** A context of the given part of the system. */
  as: (name: Extract<Actor, { kind: "system" }>["name"]) => Ctx;
  sources: readonly Source[];
  /** What keeps alerts silent. */
  muting: Muting;
  classification: Classification;
  /** Seconds for which what is repeated while it fires holds, where its sender does not say. */
  resolve_timeout: number;
  /** Whose silence is an alert of its own. */
  heartbeats: HeartbeatTerms;
  /** Whether senders could reach us. */
  intake_uptime: IntakeUptime;
  /** So many alerts of one body are understood. */
  alerts_per_body: number;
  /** Seconds in which the signals of one fingerprint count once. */
  debounce: number;
  windows: IncidentWindows;
  correlation: CorrelationOptions;
  known: KnownTargets;
  decide: DecideOptions;
  approval: ApprovalTerms;
  run: RunOptions;
  observers: readonly Observer[];
  /** Who reads facts about targets, and for how long they may. */
  investigators: readonly Investigator[];
  evidence: EvidenceTerms;
  verification: VerificationTerms;
  /** Told of every receipt that was understood, or kept as a dead letter. */
  onReceived: (received: Received) => void;
  /** Told what kept alerts silent that nothing did before, once for each. */
  onSilenced: (by: readonly SilencedBy["by"][]) => void;
};
