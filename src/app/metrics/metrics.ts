import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { entriesBefore } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { type Executor, type FreezeTerms, freezeStatus } from "../../execution/index.ts";
import type { HttpMeter } from "../../http/index.ts";
import { type Journal, LIMITS, lastParsed, type SignalStream } from "../../intake/index.ts";
import type { Notifier } from "../../notification/index.ts";
import type { IntakeWorker, PipelineDeps, Received } from "../../pipeline/index.ts";
import type { Adapters } from "../create-adapters.ts";
import type { Intervals } from "../intervals.ts";
import { VERSION } from "../version.ts";
import { ledgerCounters } from "./ledger.ts";
import { databaseMetrics } from "./state-counts.ts";
import { streamMetrics } from "./stream.ts";

// Buckets in seconds: from a commit on a fast disk to a sender's longest timeout.
const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];

/** The meters of the running parts. They count in memory, so that they do not slow these parts down. */
export type Metrics = {
  registry: Registry;
  http: HttpMeter;
  committed: (receipts: number, seconds: number) => void;
  received: (received: Received) => void;
  /** Records that a call of a source was processed, at this Unix time in seconds. */
  setLastParsed: (source: string, seconds: number) => void;
  silenced: PipelineDeps["onSilenced"];
  /** Counts a refused webhook call; `reason` is an error code or the name of a limit. */
  refused: (source: string, reason: string) => void;
  /** Wraps adapters so that their results are counted. */
  counted: (adapters: Adapters) => Adapters;
};

function httpMeter(registers: Registry[]): HttpMeter {
  const requests = new Counter({
    name: "http_requests_total",
    help: "HTTP requests answered, by route pattern and status.",
    labelNames: ["path", "status"],
    registers,
  });
  const duration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Seconds from a request to the end of its answer, by route pattern.",
    labelNames: ["path"],
    buckets: LATENCY,
    registers,
  });
  const webhooks = new Histogram({
    name: "awoooi_webhook_latency_seconds",
    help: "Seconds from a webhook's call to its answer, by kind of webhook.",
    labelNames: ["webhook_type"],
    buckets: LATENCY,
    registers,
  });
  const refused = new Counter({
    name: "awoooi_requests_refused_total",
    help: "Requests that were refused, by part and error code: overloaded, untrusted_sender, too_large and so on.",
    labelNames: ["part", "reason"],
    registers,
  });
  return ({ path, status, seconds, webhook, problem }) => {
    requests.inc({ path, status });
    duration.observe({ path }, seconds);
    if (webhook !== null) webhooks.observe({ webhook_type: webhook }, seconds);
    if (problem !== null) refused.inc({ part: webhook === null ? "api" : "webhook", reason: problem });
  };
}

function journalMeter(registers: Registry[]): Metrics["committed"] {
  const seconds = new Histogram({
    name: "awoooi_journal_commit_seconds",
    help: "Seconds that a commit of the journal took.",
    buckets: LATENCY,
    registers,
  });
  const receipts = new Histogram({
    name: "awoooi_journal_commit_receipts",
    help: "Receipts that shared a commit of the journal.",
    buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500],
    registers,
  });
  return (count, took) => {
    seconds.observe(took);
    receipts.observe(count);
  };
}

/** Creates the gauge of each source's last success; returns its setter, which `metricsPage` also feeds after a restart. */
function chainGauge(registers: Registry[], sources: readonly string[]) {
  const gauge = new Gauge({
    name: "awoooi_alert_chain_last_success_timestamp",
    help: "Unix time at which alerts of a source were last received and parsed; 0 for never.",
    labelNames: ["source"],
    registers,
  });
  const at = new Map(sources.map((source) => [source, 0]));
  for (const source of sources) gauge.set({ source }, 0);
  return (source: string, seconds: number) => {
    const latest = Math.max(at.get(source) ?? 0, seconds);
    at.set(source, latest);
    gauge.set({ source }, latest);
  };
}

function intakeMeter(
  registers: Registry[],
  sources: readonly string[],
  setLastParsed: Metrics["setLastParsed"],
): Metrics["received"] {
  const alerts = new Counter({
    name: "awoooi_alerts_received_total",
    help: "Alerts parsed, repeated deliveries included, by source and by whether they fire.",
    labelNames: ["source", "status"],
    registers,
  });
  const dead = new Counter({
    name: "awoooi_dead_letters_total",
    help: "Receipts of which something could not be parsed, by source.",
    labelNames: ["source"],
    registers,
  });
  const truncated = new Counter({
    name: "awoooi_bodies_truncated_total",
    help: "Receipts with more in them than is read of one body, by source: they are dead letters too.",
    labelNames: ["source"],
    registers,
  });
  for (const source of sources) {
    truncated.inc({ source }, 0);
    for (const status of ["firing", "resolved"]) alerts.inc({ source, status }, 0);
    dead.inc({ source }, 0);
  }
  return (received) => {
    const { source } = received;
    const firing = received.alerts.reduce((sum, { status }) => sum + Number(status === "firing"), 0);
    const resolved = received.alerts.length - firing;
    if (firing > 0) alerts.inc({ source, status: "firing" }, firing);
    if (resolved > 0) alerts.inc({ source, status: "resolved" }, resolved);
    // Of a body of which only some entries could not be parsed, the others count.
    const parsed = received.error === null || received.alerts.length > 0;
    if (parsed && !received.truncated) setLastParsed(source, Date.now() / 1000);
    if (received.error !== null) dead.inc({ source });
    if (received.truncated) truncated.inc({ source });
  };
}

function silenceMeter(registers: Registry[]): Metrics["silenced"] {
  const silenced = new Counter({
    name: "awoooi_alerts_silenced_total",
    help: "Alerts that were silenced, each counted once, by: silence, maintenance, inhibition.",
    labelNames: ["by"],
    registers,
  });
  for (const by of ["silence", "maintenance", "inhibition"]) silenced.inc({ by }, 0);
  return (reasons) => {
    for (const by of reasons) silenced.inc({ by });
  };
}

function adapterMeter(registers: Registry[]): Metrics["counted"] {
  const notices = new Counter({
    name: "awoooi_notices_total",
    help: "Attempts to deliver a notice, by notifier and result: delivered, retried (may succeed later), failed.",
    labelNames: ["notifier", "result"],
    registers,
  });
  const resolutions = new Counter({
    name: "awoooi_resolver_results_total",
    help: "Look-ups of a target by its name: hit, suggestion, miss, error.",
    labelNames: ["result"],
    registers,
  });
  for (const result of ["hit", "suggestion", "miss", "error"]) resolutions.inc({ result }, 0);
  const notifier = (one: Notifier): Notifier => {
    for (const result of ["delivered", "retried", "failed"]) notices.inc({ notifier: one.id, result }, 0);
    const count = (result: string) => notices.inc({ notifier: one.id, result });
    const { id, rate, threads, edit } = one;
    return {
      id,
      ...(rate && { rate }),
      ...(threads && { threads }),
      ...(edit && { edit: edit.bind(one) }),
      async send(card, sending) {
        try {
          const sent = await one.send(card, sending);
          count(sent.ok ? "delivered" : sent.retryable ? "retried" : "failed");
          return sent;
        } catch (error) {
          count("retried");
          throw error;
        }
      },
    };
  };
  const executor = (one: Executor): Executor => ({
    ...one,
    async resolve(operation) {
      let result = "error";
      try {
        const resolution = await one.resolve(operation);
        result = resolution.result;
        return resolution;
      } finally {
        resolutions.inc({ result });
      }
    },
  });
  return (adapters) => ({
    ...adapters,
    notifiers: adapters.notifiers.map(notifier),
    executors: adapters.executors.map(executor),
  });
}

function refusalMeter(registers: Registry[], sources: readonly string[]): Metrics["refused"] {
  const refused = new Counter({
    name: "awoooi_calls_refused_total",
    help: "Calls of webhooks that were refused, by source and by error code or the limit that was reached.",
    labelNames: ["source", "reason"],
    registers,
  });
  for (const source of sources) for (const reason of LIMITS) refused.inc({ source, reason }, 0);
  return (source, reason) => refused.inc({ source, reason });
}

/** Creates the metrics of one app in a registry of their own: several apps may run in one process. */
export function createMetrics(sources: readonly string[]): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "awoooi_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node"],
    registers,
  }).set({ version: VERSION, node: process.version }, 1);
  const setLastParsed = chainGauge(registers, sources);
  return {
    registry,
    setLastParsed,
    http: httpMeter(registers),
    committed: journalMeter(registers),
    received: intakeMeter(registers, sources, setLastParsed),
    silenced: silenceMeter(registers),
    refused: refusalMeter(registers, sources),
    counted: adapterMeter(registers),
  };
}

/** Returns the function that renders `/metrics`: the counters, and the present state of database and intake. */
export async function metricsPage(
  { registry, setLastParsed }: Metrics,
  ctx: Ctx,
  intake: { journal: Journal; worker: IntakeWorker; stream: SignalStream | null },
  gateway: () => FreezeTerms,
  intervals: Intervals,
): Promise<() => Promise<string>> {
  const [newest] = await entriesBefore(ctx, undefined, 1);
  for (const [source, at] of await lastParsed(ctx)) setLastParsed(source, at.getTime() / 1000);
  const update = databaseMetrics(
    registry,
    ctx,
    ledgerCounters(registry, newest?.seq ?? 0),
    async () => (await freezeStatus(ctx, gateway())).frozen,
    intervals,
  );
  new Gauge({
    name: "awoooi_intake_backlog",
    help: "Calls that wait for the journal's commit, and receipts that wait to be processed.",
    labelNames: ["stage"],
    registers: [registry],
    collect() {
      this.set({ stage: "journal" }, intake.journal.waiting());
      this.set({ stage: "understanding" }, intake.worker.backlog());
    },
  });
  streamMetrics(registry, ctx, intake.stream);
  return async () => {
    await update();
    return registry.metrics();
  };
}
