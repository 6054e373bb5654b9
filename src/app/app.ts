import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { ensureAdmin } from "../access/index.ts";
import type { Reloaded } from "../contract/system.ts";
import type { Ctx } from "../db/ctx.ts";
import { createServer, type HttpDeps } from "../http/index.ts";
import { Journal } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import { type Random, systemRandom } from "../lib/id.ts";
import type { Log } from "../lib/log.ts";
import { registerSecrets } from "../lib/redact.ts";
import { deliverNotices } from "../notification/index.ts";
import {
  IntakeUptime,
  IntakeWorker,
  type Received,
  rewriteKeys,
  startWorkflows,
  stopWorkflows,
  sweep,
} from "../pipeline/index.ts";
import type { Supervision } from "../supervision/index.ts";
import { type ActiveConfig, type CheckedConfig, checked, createActiveConfig } from "./config/active.ts";
import type { Config } from "./config/schema.ts";
import { secretTexts } from "./config/secret.ts";
import { type Adapters, createAdapters } from "./create-adapters.ts";
import { openDatabase } from "./database.ts";
import { httpDeps } from "./http-deps.ts";
import { INTERVALS, type Intervals } from "./intervals.ts";
import { startLoop } from "./loop.ts";
import { createMetrics, metricsPage } from "./metrics/metrics.ts";
import { createGateway, createPipelineDeps } from "./pipeline-deps.ts";
import { Retention } from "./retention.ts";
import { startSignals } from "./signals.ts";
import { createSourceLimiting } from "./source-limits.ts";
import { createSupervision, processNotes } from "./supervise.ts";

export type AppOptions = {
  log: Log;
  /** Prints a line for the person who started the server. */
  print: (line: string) => void;
  /** How that person calls this program, for commands to copy (default: awoooi). */
  program?: string;
  /** Called when the server cannot continue, because another one has taken over its database. */
  onFatal?: () => void;
  clock?: Clock;
  random?: Random;
  /** Reads the configuration again for a reload. Throws `invalid`. */
  load?: () => Config;
  setLogLevel?: (level: Config["server"]["log_level"]) => void;
  /** Overrides of the default intervals, for tests. */
  intervals?: Partial<Intervals>;
  /** Changes the adapters before they are used; tests insert their own ports. */
  adapt?: (adapters: Adapters) => Adapters;
};

export type RunningApp = {
  url: string;
  /** The admin's token if this was the first start. It is stored nowhere in plain text. */
  adminToken: string | null;
  /** Reads the configuration again and puts it in force as a whole; throws and changes nothing if that fails. */
  reload(): Promise<Reloaded>;
  stop(): Promise<void>;
};

async function listen(deps: HttpDeps, config: Config): Promise<{ url: string; close: () => Promise<void> }> {
  const server = await createServer(deps);
  const { host, port } = config.server;
  try {
    await server.listen({ host, port });
  } catch (error) {
    await server.close();
    throw new AwoooiError("unavailable", `Cannot listen on ${host}:${port}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  const { address, family, port: bound } = server.server.address() as AddressInfo;
  const at = family === "IPv6" ? `[${address}]` : address;
  return { url: `http://${at}:${bound}`, close: () => server.close() };
}

type Loops = {
  as: (name: Extract<Actor, { kind: "system" }>["name"]) => Ctx;
  live: ActiveConfig;
  retention: Retention;
  /** Seconds between two runs of retention. */
  every: number;
  intervals: Intervals;
  log: Log;
};

/** Starts the periodic work (retention, sweep, delivery of notices); returns the functions that stop it. */
function startLoops({ as, live, retention, every, intervals, log }: Loops): (() => Promise<void>)[] {
  const { current } = live;
  const prune = () => retention.run();
  const swept = () => sweep(current().pipeline);
  const deliver = (stopping: AbortSignal) => {
    const { notifiers, router: route, gateway } = current();
    return deliverNotices(as("pipeline"), notifiers, { stopping, route, gateway });
  };
  return [
    startLoop("retention", () => every, log, prune),
    () => retention.stop(),
    startLoop("the sweep", () => current().config.sweep.every, log, swept),
    startLoop("the delivery of notices", () => intervals.delivery, log, deliver),
  ];
}

/** Starts the supervised processes that should run, and watches them; returns the functions that stop this. */
function supervise(supervision: Supervision, intervals: Intervals, log: Log): (() => Promise<void>)[] {
  const tick = () => supervision.tick();
  return [
    () => supervision.stop(),
    startLoop("the watch of processes", () => intervals.processes, log, tick),
  ];
}

/** Calls the stop functions in reverse order; the failure of one is logged and does not prevent the others. */
async function stopAll(ends: (() => Promise<void>)[], log: Log): Promise<void> {
  for (const end of ends.splice(0).reverse()) {
    await end().catch((error: unknown) =>
      log.error({ error: messageOf(error) }, "a component did not stop cleanly"),
    );
  }
}

/**
 * Starts all parts in the order of their dependencies. The stop function of each is kept as soon as it runs:
 * `stop`, or an error half-way, calls them in reverse. Throws `AwoooiError` with a sentence.
 */
export async function startApp(config: Config, options: AppOptions): Promise<RunningApp> {
  const { log, print, program = "awoooi", clock = systemClock, random = systemRandom } = options;
  const intervals: Intervals = { ...INTERVALS, ...options.intervals };
  const ends: (() => Promise<void>)[] = [];
  const stop = () => stopAll(ends, log);
  registerSecrets(secretTexts(config));
  try {
    // Mistakes in addresses and rules are found before anything is changed.
    const first = checked(config, log);
    const database = await openDatabase(config, log, options.onFatal ?? (() => {}));
    ends.push(() => database.close());
    const ctxOf = (actor: Actor): Ctx => ({ db: database.db, actor, clock, random, log });
    const state_dir = resolve(join(database.data_dir, "processes"));
    await mkdir(state_dir, { recursive: true, mode: 0o700 });
    const stopped = new Map<string, string>();
    const adapters = createAdapters(config, {
      state_dir,
      stopped: (name) => stopped.get(name),
      print,
      program,
      log,
    });
    ends.push(() => adapters.stop());
    const adapt = (made: Adapters) => options.adapt?.(made) ?? made;
    const adapted = adapt(adapters);
    const metrics = createMetrics(adapted.sources.map((source) => source.id));
    const as = (name: Extract<Actor, { kind: "system" }>["name"]) => ctxOf({ kind: "system", name });
    const inForce = () => ({ live: live.current(), pipeline: current() });
    const limiting = createSourceLimiting(as("intake"), metrics, inForce, intervals.refused);
    const onReceived = (received: Received) => {
      metrics.received(received);
      limiting.received(received);
    };
    const intake_uptime = new IntakeUptime(() => live.current().config.sweep.every);
    const gateway = () => live.current().gateway;
    const { silenced: onSilenced } = metrics;
    const made = { ctxOf, onReceived, onSilenced, intake_uptime, gateway, busy_wait: intervals.busy };
    const built = (next: CheckedConfig, ports: Adapters) => {
      const own = createGateway(next, ports, database.epoch);
      const { notifiers, supervisor } = ports;
      return { gateway: own, pipeline: createPipelineDeps(next, ports, own, made), notifiers, supervisor };
    };
    const live: ActiveConfig = createActiveConfig(
      { ...first, ...built(first, metrics.counted(adapted)), loaded_at: clock.now() },
      {
        load: options.load ?? (() => config),
        build(next) {
          registerSecrets(secretTexts(next.config));
          return built(next, metrics.counted(adapt(adapters.next(next.config))));
        },
        applied(next) {
          options.setLogLevel?.(next.config.server.log_level);
          adapters.inForce();
        },
        notes: (before, now) => processNotes(before.supervisor, now.supervisor),
      },
    );
    const current = () => live.current().pipeline;
    await rewriteKeys(as("bootstrap"));
    const adminToken = await ensureAdmin(as("bootstrap"), config.admin_token);

    const supervision = await createSupervision(as("sweep"), live, stopped);
    await startWorkflows(current, database.workflowPool, log);
    ends.push(stopWorkflows);
    const worker: IntakeWorker = new IntakeWorker(current, () => journal.pressed(), intervals.leftovers);
    const journal = new Journal(
      as("intake"),
      () => live.current().config.intake.backlog,
      () => worker.backlog(),
      metrics.committed,
    );
    ends.push(await limiting.start());
    await worker.start();
    ends.push(() => worker.stop());
    const { epoch } = database;
    const signals = startSignals({ live, journal, worker, epoch, every: intervals.redis, log });
    ends.push(() => signals.stop());
    const intake = { journal, worker, stream: signals.stream };
    const page = await metricsPage(metrics, as("intake"), intake, gateway, intervals);
    const retention = new Retention(as("retention"), config.retention, () => worker.backlog());
    const { every } = config.retention;
    ends.push(...startLoops({ as, live, retention, every, intervals, log }));

    const served = { as, ctxOf, clock, live, database, journal, worker, limiting, signals, retention, log };
    const deps = httpDeps({ ...served, supervision, meter: metrics.http, page });
    const { url, close } = await listen(deps, config);
    ends.push(close);
    // Last: a server that cannot listen must not start processes.
    ends.push(...supervise(supervision, intervals, log));
    return { url, adminToken, reload: () => live.reload(as("bootstrap")), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
