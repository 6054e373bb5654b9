import { kubernetes } from "../adapters/executors/kubernetes/index.ts";
import { localProcess } from "../adapters/executors/local-process/index.ts";
import { mcp } from "../adapters/executors/mcp/index.ts";
import { ssh } from "../adapters/executors/ssh/index.ts";
import { log } from "../adapters/notifiers/log/index.ts";
import { webhook } from "../adapters/notifiers/webhook/index.ts";
import { alertmanager } from "../adapters/sources/alertmanager/index.ts";
import { custom } from "../adapters/sources/custom/index.ts";
import { generic } from "../adapters/sources/generic/index.ts";
import { grafana } from "../adapters/sources/grafana/index.ts";
import { pagerduty } from "../adapters/sources/pagerduty/index.ts";
import { prometheus } from "../adapters/sources/prometheus/index.ts";
import { sentry } from "../adapters/sources/sentry/index.ts";
import { signalSource } from "../adapters/sources/signal/index.ts";
import { signoz } from "../adapters/sources/signoz/index.ts";
import { uptimeKuma } from "../adapters/sources/uptime-kuma/index.ts";
import { redisStream } from "../adapters/streams/redis/index.ts";
import type { Investigator } from "../decision/index.ts";
import type { Executor } from "../execution/index.ts";
import type { SignalStream, Source } from "../intake/index.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { Observer } from "../verification/index.ts";
import type { Config } from "./config-schema.ts";
import { VERSION } from "./version.ts";

/** Everything that the outside is reached through. */
export type Adapters = {
  sources: readonly Source[];
  executors: readonly Executor[];
  observers: readonly Observer[];
  investigators: readonly Investigator[];
  notifiers: readonly Notifier[];
  /** Ends what they have started. */
  stop(): Promise<void>;
};

type Deps = { state_dir: string; print: (line: string) => void; program?: string | undefined; log: Log };

/** Those that tell people. */
function createNotifiers(config: Config, deps: Pick<Deps, "print" | "program">): Adapters["notifiers"] {
  const { enabled, terminal, webhook: hook, webhooks } = config.notification;
  if (!enabled) return [];
  return [
    ...(terminal ? [log.create(deps)] : []),
    ...(hook === undefined ? [] : [webhook.create(hook)]),
    ...webhooks.map((one) => webhook.create(one)),
  ];
}

/** Those that understand what senders say. */
export function createSources({ intake }: Config): Adapters["sources"] {
  return [
    alertmanager.create(),
    prometheus.create(),
    generic.create(),
    signalSource.create(),
    grafana.create(),
    signoz.create(),
    uptimeKuma.create(),
    sentry.create(),
    pagerduty.create(),
    ...intake.custom.map(custom.create),
  ];
}

/** Those that are made anew when the configuration is reloaded: they do nothing by themselves. */
export function createReloadable(
  config: Config,
  deps: Pick<Deps, "print" | "program">,
): Pick<Adapters, "sources" | "notifiers"> {
  return { sources: createSources(config), notifiers: createNotifiers(config, deps) };
}

/** The stream that signals are put on; null: it is the journal. `consumer` names this server among its readers. */
export function createStream(
  { redis: { url, ...settings } }: Config,
  deps: { consumer: string; log: Log },
): SignalStream | null {
  return url === undefined ? null : redisStream.create({ url, ...settings }, deps);
}

/** The adapters that the configuration asks for. A new one is one line here, and its folder. */
export function createAdapters(config: Config, deps: Deps): Adapters {
  const processes = localProcess.create(
    { processes: config.processes, state_dir: deps.state_dir },
    { log: deps.log },
  );
  const cluster = kubernetes.create(config.kubernetes);
  const hosts = ssh.create(config.ssh, { log: deps.log });
  const tools = mcp.create(config.mcp, { log: deps.log, version: VERSION });
  // An operation is offered only where there is something to carry it out on.
  const reached = [...(cluster === null ? [] : [cluster]), ...(hosts.names.length > 0 ? [hosts] : [])];
  return {
    ...createReloadable(config, deps),
    executors: [processes, ...reached, tools].map(({ executor }) => executor),
    observers: [processes, ...reached].map(({ observer }) => observer),
    investigators: reached.map(({ investigator }) => investigator),
    async stop() {
      await Promise.all([hosts.close(), tools.stop()]);
    },
  };
}
