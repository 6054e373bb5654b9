import type { Health } from "../contract/system.ts";
import { JOURNALLED_ANSWER, type WebhookAnswer } from "../contract/webhook.ts";
import type { Ctx } from "../db/ctx.ts";
import { freezeStatus } from "../execution/index.ts";
import type { HttpDeps } from "../http/index.ts";
import { claimCall, type Journal, type SignalStream } from "../intake/index.ts";
import { diagnose } from "../investigation/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { type IntakeWorker, mergeManually, requestUndo, splitManually } from "../pipeline/index.ts";
import type { Supervision } from "../supervision/index.ts";
import { SOURCES } from "./adapters.ts";
import type { ActiveConfig } from "./config/active.ts";
import type { Database } from "./database.ts";
import type { Retention } from "./retention.ts";
import { type Signals, streamHealth } from "./signals.ts";
import type { SourceLimiting } from "./source-limits.ts";
import { storagePort } from "./storage.ts";
import { VERSION } from "./version.ts";

type Observed = Pick<Parts, "database" | "worker" | "clock" | "live" | "as"> & {
  stream: SignalStream | null;
};

function healthOf({ database, worker, stream, clock, live, as }: Observed): () => Promise<Health> {
  const frozenNow = async () => (await freezeStatus(as("intake"), live.current().gateway)).frozen;
  const started_at = clock.now().toISOString();
  return async () => {
    const reached = await database.pool.query("select 1").then(
      () => ({ status: "ok" as const, detail: "answers" }),
      // Health needs no token, so the database's error message is not shown.
      () => ({ status: "down" as const, detail: "does not answer" }),
    );
    const journal = { status: "ok" as const, detail: `${worker.backlog()} receipts waiting` };
    const status = reached.status === "ok" ? "ok" : "degraded";
    const dependencies = { database: reached, journal, ...streamHealth(stream) };
    const frozen = reached.status === "ok" ? await frozenNow().catch(() => null) : null;
    return { status, version: VERSION, started_at, frozen, dependencies };
  };
}

/** Returns the routes' access to the sources of the configuration in force. */
function ofSources(live: ActiveConfig): Pick<HttpDeps["sources"], "kinds" | "sender" | "decode"> {
  const sourceOf = (id: string) => live.current().pipeline.sources.find((source) => source.id === id);
  return {
    kinds: SOURCES,
    sender: (id) => live.current().senders.get(id),
    decode: (id, json) => sourceOf(id)?.decode(json) ?? { ok: false, reason: `there is no source ${id}` },
  };
}

/** Returns the early answer for a body with more entries than are processed, before it was processed. */
function truncatedLater(entries: number, most: number): WebhookAnswer {
  const truncated = `of ${entries} entries the first ${most} are read; the body is kept as a dead letter`;
  return {
    ...JOURNALLED_ANSWER,
    message: `${JOURNALLED_ANSWER.message}; truncated: ${truncated}`,
    truncated,
  };
}

/** Receives webhook calls: journals the call, then waits up to `answer_wait` seconds for the result of its processing. */
function receiver(
  ctx: Ctx,
  { journal, worker, limiting, live }: Pick<Parts, "journal" | "worker" | "limiting" | "live">,
): HttpDeps["receive"] {
  return async ({ json, longest, cut, idempotency_key = null, ...call }) => {
    const { alerts_per_body, answer_wait } = live.current().config.intake;
    const counted = limiting.admit({ ...call, json, longest, cut });
    const received_at =
      idempotency_key === null ? ctx.clock.now() : await claimCall(ctx, { ...call, idempotency_key });
    const receipt = await journal.append({ ...call, idempotency_key, received_at });
    limiting.accepted(receipt.seq, receipt.source, counted);
    const later = longest > alerts_per_body ? truncatedLater(longest, alerts_per_body) : null;
    // A body that was not read completely is parsed again by the worker.
    const answer = worker.take(receipt, cut === null ? json : undefined);
    if (answer === null) return later;
    const { promise, resolve } = Promise.withResolvers<WebhookAnswer | null>();
    const late = setTimeout(resolve, answer_wait * 1000, later);
    answer.then((said) => resolve(said ?? later), resolve.bind(null, later));
    return promise.finally(() => clearTimeout(late));
  };
}

/** Receives signals with the same limits; the reader of the stream may write the receipt later. */
function signalReceiver({ limiting, signals }: Pick<Parts, "limiting" | "signals">): HttpDeps["takeSignal"] {
  return async ({ json, longest, cut, ...call }) => {
    const counted = limiting.admit({ ...call, json, longest, cut });
    const answer = await signals.take(call);
    limiting.accepted(null, call.source, counted);
    return answer;
  };
}

type Parts = {
  as: (name: Extract<Actor, { kind: "system" }>["name"]) => Ctx;
  ctxOf: (actor: Actor) => Ctx;
  clock: Clock;
  live: ActiveConfig;
  database: Database;
  journal: Journal;
  worker: IntakeWorker;
  limiting: SourceLimiting;
  signals: Signals;
  retention: Retention;
  supervision: Supervision;
  meter: HttpDeps["meter"];
  page: HttpDeps["metrics"]["page"];
  log: Log;
};

/** Returns the dependencies of the HTTP routes, bound to the running parts. */
export function httpDeps(parts: Parts): HttpDeps {
  const { as, ctxOf, live, database, limiting, signals, retention, supervision, meter, page, log } = parts;
  const { config } = live.current();
  return {
    ctxOf,
    checkSender: (call) => live.current().checkSender(call),
    receive: receiver(as("intake"), parts),
    takeSignal: signalReceiver(parts),
    limiter: limiting.http,
    sources: { ...limiting.sources, ...ofSources(live) },
    relations: { merge: mergeManually, split: splitManually },
    undo: (ctx, input) => requestUndo(ctx, input, live.current().pipeline),
    get terms() {
      return live.current().pipeline.approval;
    },
    diagnose: (ctx, target) => {
      const { investigators, evidence, known } = live.current().pipeline;
      return diagnose(ctx, target, investigators, evidence, known);
    },
    get gateway() {
      return live.current().gateway;
    },
    processes: {
      list: (ctx) => supervision.list(ctx),
      ask: (ctx, asked) => supervision.ask(ctx, asked),
    },
    config: live,
    get open_reads() {
      return live.current().config.intake.alertmanager_api.open_reads;
    },
    notifiers: () => live.current().notifiers.map((one) => one.id),
    health: healthOf({ ...parts, stream: signals.stream }),
    storage: storagePort(database, retention, config.retention),
    meter,
    metrics: { admits: (call) => live.current().admitsScraper(call), page },
    // Needs a restart, so it is read once.
    body_limit: config.intake.body_limit,
    version: VERSION,
    log,
  };
}
