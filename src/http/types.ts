import type { ApprovalTerms } from "../approval/index.ts";
import type { DiagnosisQuery, Investigation } from "../contract/evidence.ts";
import type { WireProcess } from "../contract/process.ts";
import type { SourceReport } from "../contract/source.ts";
import type { PruneAnswer, StorageReport } from "../contract/storage.ts";
import type { ConfigStatus, Health, Reloaded } from "../contract/system.ts";
import type { SignalAnswer, WebhookAnswer } from "../contract/webhook.ts";
import type { Ctx } from "../db/ctx.ts";
import type { GatewayOptions } from "../execution/index.ts";
import type { IncidentRow } from "../incident/index.ts";
import type { Decoded, ReadBody, SenderCheck, SenderRequest, SourceKind } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { AwoooiError } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import type { HttpMeter } from "./observe.ts";
import type { ListBounds } from "./streamed-list.ts";

/** The dependencies of the routes; room `app` provides them all. */
export type HttpDeps = {
  /** Returns a context for an actor; anonymous calls get one only to be authenticated with. */
  ctxOf: (actor: Actor) => Ctx;
  /** Returns how a sender was admitted, or throws. */
  checkSender: (call: SenderRequest) => string;
  /** Journals a call, then waits a little for the result of its processing; returns null when that takes longer. */
  receive: (
    input: {
      source: string;
      sender: string;
      body: Buffer;
      idempotency_key?: string | undefined;
    } & ReadBody,
  ) => Promise<WebhookAnswer | null>;
  /** Merges and splits incidents. This involves several stages; each call is one transaction. */
  relations: {
    merge: (
      ctx: Ctx,
      input: { incident_id: string; into: string; comment?: string | undefined },
    ) => Promise<IncidentRow>;
    split: (ctx: Ctx, input: { incident_id: string; comment?: string | undefined }) => Promise<IncidentRow>;
  };
  /** Plans the undo of an execution and requests approval for it; returns the id of the approval. */
  undo: (ctx: Ctx, input: { execution_id: string; comment?: string | undefined }) => Promise<string>;
  /** Accepts a signal, onto the signal stream; resolves once it is on disk. */
  takeSignal: (
    call: {
      source: string;
      sender: string;
      body: Buffer;
      idempotency_key?: string | undefined;
    } & ReadBody,
  ) => Promise<SignalAnswer>;
  /** The limits of sources; a refusal is `source_limited`. */
  limiter: {
    /** Called before the body is read; `length` is null where the call does not state it. */
    enter: (arrival: { source: string; call: SenderRequest; length: number | null }) => void;
    /** Called for every refused call of a webhook, with the number of bytes read for it. */
    refused: (refusal: { source: string; call: SenderRequest; error: AwoooiError; bytes: number }) => void;
  };
  /** The sources, their limits, and which limits hold each back now. */
  sources: {
    /** All kinds of sources, with the paths that they are called at. */
    kinds: readonly SourceKind[];
    /** Returns how the callers of a source are checked; undefined: no such source can be called. */
    sender: (source: string) => SenderCheck | undefined;
    /** Decodes a body as a source does, for answers that say more than the result. */
    decode: (source: string, json: unknown) => Decoded;
    ids: () => readonly string[];
    limits: (source: string) => SourceReport["limits"];
    limited: (source: string) => string[];
  };
  /** The approval terms in force at the time of access. */
  readonly terms: ApprovalTerms;
  /** Investigates a target. */
  diagnose: (ctx: Ctx, target: DiagnosisQuery) => Promise<Investigation>;
  readonly gateway: GatewayOptions;
  /** Lists the supervised processes, and requests the start or stop of one. */
  processes: {
    list: (ctx: Ctx) => Promise<WireProcess[]>;
    ask: (
      ctx: Ctx,
      asked: { name: string; to: "start" | "stop"; comment?: string | undefined },
    ) => Promise<WireProcess>;
  };
  config: {
    status: (ctx: Ctx) => ConfigStatus;
    reload: (ctx: Ctx) => Promise<Reloaded>;
  };
  health: () => Promise<Health>;
  /** Whether senders may also read through Alertmanager's API. */
  readonly open_reads: boolean;
  /** Bounds of large answers that replace the shipped ones in tests. */
  lists?: ListBounds | undefined;
  /** Returns the ids of the notification channels. */
  notifiers: () => readonly string[];
  /** Reports disk usage, and deletes records whose retention is over. Authorisation is done by the routes. */
  storage: {
    report: () => Promise<StorageReport>;
    prune: (input: { dry_run: boolean; asked_by: string }) => Promise<PruneAnswer>;
  };
  meter: HttpMeter;
  metrics: {
    /** Returns whether a call may read the metrics without a token. */
    admits: (call: SenderRequest) => boolean;
    /** Returns all metrics in Prometheus' text format. */
    page: () => Promise<string>;
  };
  /** AWOOOI's version. */
  version: string;
  /** Most bytes of a body. */
  body_limit: number;
  log: Log;
};
