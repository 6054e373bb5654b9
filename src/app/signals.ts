import { hostname } from "node:os";
import type { Health } from "../contract/system.ts";
import type { HttpDeps } from "../http/index.ts";
import type { Journal, ReadBody, SignalStream } from "../intake/index.ts";
import type { Log } from "../lib/log.ts";
import { createSignalIntake, type IntakeWorker, SignalWorker } from "../pipeline/index.ts";
import type { ActiveConfig } from "./config/active.ts";
import { createStream } from "./create-adapters.ts";
import { startLoop } from "./loop.ts";

type Parts = {
  live: ActiveConfig;
  journal: Journal;
  worker: IntakeWorker;
  epoch: number;
  /** Seconds between two checks of the stream. */
  every: number;
  log: Log;
};

/** The intake of signals: through the stream if there is one, else straight into the journal. */
export type Signals = {
  stream: SignalStream | null;
  take: (
    call: Omit<Parameters<HttpDeps["takeSignal"]>[0], keyof ReadBody>,
  ) => ReturnType<HttpDeps["takeSignal"]>;
  stop(): Promise<void>;
};

export function startSignals({ live, journal, worker, epoch, every, log }: Parts): Signals {
  const { config, pipeline } = live.current();
  const current = () => live.current().pipeline;
  const { stream, name } = createStream(config, { consumer: `${hostname()}:${process.pid}:${epoch}`, log });
  const taken = createSignalIntake(pipeline.as("intake"), { journal, intake: worker, stream });
  const take: Signals["take"] = async (call) => ({
    success: true,
    message_id: await taken(call),
    stream: name,
  });
  if (stream === null) return { stream, take, stop: async () => {} };
  const watch = () => stream.check();
  const endWatch = startLoop("the check of the signal stream", () => every, log, watch);
  const limit = () => live.current().config.intake.backlog.receipts;
  const signals = new SignalWorker(current, stream, worker, limit);
  signals.start();
  const stop = async () => {
    await signals.stop();
    await endWatch();
    await stream.close();
  };
  return { stream, take, stop };
}

/** Returns the stream's health. It does not degrade the server: without the stream signals go into the journal. */
export function streamHealth(stream: SignalStream | null): Health["dependencies"] {
  if (stream === null) return {};
  const { up, detail } = stream.state();
  return { [stream.id]: { status: up ? "ok" : "down", detail } };
}
