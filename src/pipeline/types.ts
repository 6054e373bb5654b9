import type { ApprovalTerms } from "../approval/index.ts";
import type { Ctx } from "../db/ctx.ts";
import type { DecideOptions } from "../decision/index.ts";
import type { RunOptions } from "../execution/index.ts";
import type { IncidentWindows, KnownTargets } from "../incident/index.ts";
import type { Classification, Source } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { Observer, VerificationTerms } from "../verification/index.ts";

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
};

/** Everything that the journey is made with: ports and settings, bound once when the app starts. */
export type Journey = {
  /** A context of the given part of the system. */
  as: (name: Extract<Actor, { kind: "system" }>["name"]) => Ctx;
  sources: readonly Source[];
  classification: Classification;
  windows: IncidentWindows;
  known: KnownTargets;
  decide: DecideOptions;
  approval: ApprovalTerms;
  run: RunOptions;
  observers: readonly Observer[];
  verification: VerificationTerms;
  /** Told of every receipt that was understood, or kept as a dead letter. */
  onReceived: (received: Received) => void;
};
