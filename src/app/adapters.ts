import { localProcess } from "../adapters/executors/local-process/index.ts";
import { log } from "../adapters/notifiers/log/index.ts";
import { webhook } from "../adapters/notifiers/webhook/index.ts";
import { alertmanager } from "../adapters/sources/alertmanager/index.ts";
import { generic } from "../adapters/sources/generic/index.ts";
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

/** The adapters that the configuration asks for. A new one is one line here, and its folder. */
export function createAdapters(
  config: Config,
  deps: { state_dir: string; print: (line: string) => void; log: Log },
): Adapters {
  const processes = localProcess.create(
    { processes: config.processes, state_dir: deps.state_dir },
    { log: deps.log },
  );
  const { enabled, terminal, webhook: hook } = config.notification;
  const notifiers = [
    ...(terminal ? [log.create({ print: deps.print })] : []),
    ...(hook === undefined ? [] : [webhook.create(hook)]),
  ];
  return {
    sources: [alertmanager.create(), generic.create()],
    executors: [processes.executor],
    observers: [processes.observer],
    notifiers: enabled ? notifiers : [],
  };
}
