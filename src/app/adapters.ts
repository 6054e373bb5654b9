import { localProcess } from "../adapters/executors/local-process/index.ts";
import { log } from "../adapters/notifiers/log/index.ts";
import { webhook } from "../adapters/notifiers/webhook/index.ts";
import { alertmanager } from "../adapters/sources/alertmanager/index.ts";
import { generic } from "../adapters/sources/generic/index.ts";
import { grafana } from "../adapters/sources/grafana/index.ts";
import { prometheus } from "../adapters/sources/prometheus/index.ts";
import { sentry } from "../adapters/sources/sentry/index.ts";
import { signoz } from "../adapters/sources/signoz/index.ts";
import { uptimeKuma } from "../adapters/sources/uptime-kuma/index.ts";
import type { Executor } from "../execution/index.ts";
import type { Source } from "../intake/index.ts";
import type { Log } from "../lib/log.ts";
import type { Notifier } from "../notification/index.ts";
import type { Observer } from "../verification/index.ts";
import type { Config } from "./config-schema.ts";

/** Everything that the outside is reached through. */
export type Adapters = {
  sources: readonly Source[];
  executors: readonly Executor[];
  observers: readonly Observer[];
  notifiers: readonly Notifier[];
};

type Deps = { state_dir: string; print: (line: string) => void; log: Log };

/** Those that tell people: made anew when the configuration is reloaded. */
export function createNotifiers(config: Config, deps: Pick<Deps, "print">): Adapters["notifiers"] {
  const { enabled, terminal, webhook: hook, webhooks } = config.notification;
  if (!enabled) return [];
  return [
    ...(terminal ? [log.create({ print: deps.print })] : []),
    ...(hook === undefined ? [] : [webhook.create(hook)]),
    ...webhooks.map((one) => webhook.create(one)),
  ];
}

/** The adapters that the configuration asks for. A new one is one line here, and its folder. */
export function createAdapters(config: Config, deps: Deps): Adapters {
  const processes = localProcess.create(
    { processes: config.processes, state_dir: deps.state_dir },
    { log: deps.log },
  );
  return {
    sources: [
      alertmanager.create(),
      prometheus.create(),
      generic.create(),
      grafana.create(),
      signoz.create(),
      uptimeKuma.create(),
      sentry.create(),
    ],
    executors: [processes.executor],
    observers: [processes.observer],
    notifiers: createNotifiers(config, deps),
  };
}
