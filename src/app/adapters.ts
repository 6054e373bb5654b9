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
import type { SourceKind } from "../intake/index.ts";
import type { ExecutorKind, NotifierKind, StreamKind } from "./kinds.ts";

/** The kinds of alert sources. A new one needs a folder and one line here. */
export const SOURCES: readonly SourceKind[] = [
  alertmanager,
  prometheus,
  generic,
  signalSource,
  grafana,
  signoz,
  uptimeKuma,
  sentry,
  pagerduty,
  custom,
];

/** The kinds of streams that take signals. The first one that is configured is used. */
export const STREAMS: readonly StreamKind[] = [redisStream];

/** The kinds of executors, which change systems. */
export const EXECUTORS: readonly ExecutorKind[] = [kubernetes, mcp, localProcess, ssh];

/** The kinds of notifiers, which send notices to people. */
export const NOTIFIERS: readonly NotifierKind[] = [log, webhook];
