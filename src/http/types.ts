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
import type { Call, Decoded, ReadBody, SenderCheck, SourceKind } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { AwoooiError } from "../lib/error.ts";
import type { Log } from "../lib/log.ts";
import type { HttpMeter } from "./observe.ts";
import type { ListBounds } from "./streamed-list.ts";

/** What the routes are made with; all of it is bound in app. */
export type HttpDeps = {
  /** A context for an actor; anonymous calls get one only to be authenticated with. */
  ctxOf: (actor: Actor) => Ctx;
  /** How a sender is admitted, or an error. */
  checkSender: (call: Call) => string;
  /** Writes a call into the journal, then waits a little for what comes of it: null when that must wait. */
  receive: (
    input: {
      source: string;
      sender: string;
      body: Buffer;
      idempotency_key?: string | undefined;
    } & ReadBody,
  ) => Promise<WebhookAnswer | null>;
  /** Merging and parting incidents touches several stages: each in one transaction. */
  relations: {
    merge: (
      ctx: Ctx,
      input: { incident_id: string; into: string; comment?: string | undefined },
    ) => Promise<IncidentRow>;
    split: (ctx: Ctx, input: { incident_id: string; comment?: string | undefined }) => Promise<IncidentRow>;
  };
  /** Plans taking an execution back, and asks people for it: the id of the approval. */
  undo: (ctx: Ctx, input: { execution_id: string; comment?: string | undefined }) => Promise<string>;
  /** The same for a signal, onto their stream: resolves once it is on disk. */
  takeSignal: (
    call: {
      source: string;
      sender: string;
      body: Buffer;
      idempotency_key?: string | undefined;
    } & ReadBody,
  ) => Promise<SignalAnswer>;
  /** What bounds a source; a refusal is `source_limited`. */
  guard: {
    /** Before the body is read; `length` is null where it is not said. */
    enter: (arrival: { source: string; call: Call; length: number | null }) => void;
    /** Told of every refused call of a webhook, and how many bytes were read for it. */
    refused: (refusal: { source: string; call: Call; error: AwoooiError; bytes: number }) => void;
  };
  /** The sources that there are, what each may do, and which limits hold it back now. */
  sources: {
    /** All that can be configured, with the paths that they are called at. */
    kinds: readonly SourceKind[];
    /** How the callers of a source are checked; undefined: there is no such source to be called. */
    sender: (source: string) => SenderCheck | undefined;
    /** What a source makes of a body: for answers that say more than what became of it. */
    decode: (source: string, json: unknown) => Decoded;
    ids: () => readonly string[];
    limits: (source: string) => SourceReport["limits"];
    limited: (source: string) => string[];
  };
  /** Those in force when they are read. */
  readonly terms: ApprovalTerms;
  /** Reads of a target what is wrong with it. */
  diagnose: (ctx: Ctx, target: DiagnosisQuery) => Promise<Investigation>;
  readonly gateway: GatewayOptions;
  /** The supervised processes, and having one started or stopped. */
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
  /** Whether senders may read on Alertmanager's API, too. */
  readonly open_reads: boolean;
  /** Bounds of large answers, other than the shipped ones: for tests. */
  lists?: ListBounds | undefined;
  /** Ids of the channels that people are told on. */
  notifiers: () => readonly string[];
  /** What takes room, and deleting what has been kept for its time; the routes say who may. */
  storage: {
    report: () => Promise<StorageReport>;
    prune: (input: { dry_run: boolean; asked_by: string }) => Promise<PruneAnswer>;
  };
  meter: HttpMeter;
  metrics: {
    /** Whether a call may read the metrics without a token. */
    admits: (call: Call) => boolean;
    /** All of them, in Prometheus' text format. */
    page: () => Promise<string>;
  };
  /** Of AWOOOI. */
  version: string;
  /** Bytes of a body. */
  body_limit: number;
  log: Log;
};
