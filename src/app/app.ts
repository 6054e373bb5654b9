import { mkdir } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { ensureAdmin } from "../access/index.ts";
import type { Health } from "../contract/system.ts";
import type { WebhookAnswer } from "../contract/webhook.ts";
import type { Ctx } from "../db/ctx.ts";
import { createServer, type HttpDeps } from "../http/index.ts";
import { Journal, senderCheck } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { AwoooiError, messageOf } from "../lib/error.ts";
import { type Random, systemRandom } from "../lib/id.ts";
import type { Log } from "../lib/log.ts";
import { wait } from "../lib/wait.ts";
import { deliverNotices } from "../notification/index.ts";
import { IntakeWorker, type Journey, startWorkflows, stopWorkflows, sweep } from "../pipeline/index.ts";
import { type Adapters, createAdapters } from "./adapters.ts";
import type { Config } from "./config-schema.ts";
import { type Database, openDatabase } from "./database.ts";
import { createJourney } from "./journey.ts";
import { startLoop } from "./loop.ts";
import { VERSION } from "./version.ts";

export type AppOptions = {
  log: Log;
  /** Lines for the person who started it. */
  print: (line: string) => void;
  /** Called when the server cannot go on: another has taken its database over. */
  onFatal?: () => void;
  clock?: Clock;
  random?: Random;
  /** Changes the adapters before they are bound: tests put ports of their own in. */
  adapt?: (adapters: Adapters) => Adapters;
};

export type RunningApp = {
  url: string;
  /** The admin's token if this was the first start: it is known to nobody else. */
  adminToken: string | null;
  journey: Journey;
  stop(): Promise<void>;
};

function healthOf(database: Database, worker: IntakeWorker, clock: Clock): () => Promise<Health> {
  const started_at = clock.now().toISOString();
  return async () => {
    const reached = await database.pool.query("select 1").then(
      () => ({ status: "ok" as const, detail: "answers" }),
      // Anyone may ask: what exactly the database says is for the log.
      () => ({ status: "down" as const, detail: "does not answer" }),
    );
    const journal = { status: "ok" as const, detail: `${worker.backlog()} receipts waiting` };
    const status = reached.status === "ok" ? "ok" : "degraded";
    return { status, version: VERSION, started_at, dependencies: { database: reached, journal } };
  };
}

/** Journal first; then the answer, if it comes soon. */
function receiver(
  ctx: Ctx,
  journal: Journal,
  worker: IntakeWorker,
  waitSeconds: number,
): HttpDeps["receive"] {
  return async ({ source, sender, body, json }) => {
    const receipt = await journal.append({ source, sender, body, received_at: ctx.clock.now() });
    const patience = new AbortController();
    const late = wait(waitSeconds * 1000, patience.signal).then((): WebhookAnswer | null => null);
    const answer = await Promise.race([worker.take(receipt, json), late]);
    patience.abort();
    return answer;
  };
}

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

/**
 * Starts everything, in the order in which each part needs the one before, and each with its end noted at
 * once: `stop`, and an error half-way, run these in reverse. Throws `AwoooiError` with a sentence.
 */
export async function startApp(config: Config, options: AppOptions): Promise<RunningApp> {
  const { log, print, clock = systemClock, random = systemRandom } = options;
  const ends: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) {
      await end().catch((error: unknown) =>
        log.error({ error: messageOf(error) }, "a part did not stop cleanly"),
      );
    }
  };
  try {
    // What is wrong with addresses and rules is found before anything is touched.
    const checkSender = senderCheck(config.intake);
    const database = await openDatabase(config, log, options.onFatal ?? (() => {}));
    ends.push(() => database.close());
    const ctxOf = (actor: Actor): Ctx => ({ db: database.db, actor, clock, random, log });
    const state_dir = resolve(join(database.data_dir, "processes"));
    await mkdir(state_dir, { recursive: true, mode: 0o700 });
    const adapters = createAdapters(config, { state_dir, print, log });
    const bound = options.adapt === undefined ? adapters : options.adapt(adapters);
    const journey = createJourney(config, bound, ctxOf, database.epoch);
    const adminToken = await ensureAdmin(journey.as("bootstrap"), config.admin_token);

    await startWorkflows(journey, database.workflowPool, log);
    ends.push(stopWorkflows);
    const worker = new IntakeWorker(journey);
    await worker.start();
    ends.push(() => worker.stop());
    const journal = new Journal(journey.as("intake"), config.intake.backlog, () => worker.backlog());
    ends.push(startLoop("the sweep", config.sweep.every, log, () => sweep(journey)));
    ends.push(
      startLoop("the delivery of notices", 0.5, log, (signal) =>
        deliverNotices(journey.as("pipeline"), bound.notifiers, signal),
      ),
    );

    const { body_limit, answer_wait } = config.intake;
    const receive = receiver(journey.as("intake"), journal, worker, answer_wait);
    const health = healthOf(database, worker, clock);
    const deps = { ctxOf, checkSender, receive, terms: journey.approval, health, body_limit, log };
    const { url, close } = await listen(deps, config);
    ends.push(close);
    return { url, adminToken, journey, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
