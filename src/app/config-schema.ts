import { z } from "zod";
import { severity } from "../contract/common.ts";
import { freezeWindow } from "../execution/index.ts";
import { foldSeverity } from "../intake/index.ts";
import { duration, keeping, keepingOrForever } from "../lib/duration.ts";
import { messageOf } from "../lib/error.ts";
import { compileMatchers, parseMatchers } from "../lib/matchers.ts";
import { secret } from "../lib/secret-setting.ts";
import { OPERATION_KINDS, projectName, traitsOf } from "../operation/index.ts";
import { inhibitRule, maintenanceWindow } from "../silence/index.ts";
import { EXECUTORS, SOURCES } from "./adapters.ts";
import { notificationSchema } from "./config-notification.ts";

const seconds = (text: string) => duration.prefault(text);
const count = (value: number) => z.number().int().min(1).max(1_000_000).default(value);
function rate(): z.ZodNumber;
function rate(value: number): z.ZodDefault<z.ZodNumber>;
function rate(value?: number) {
  const number = z.number().positive().max(1e12);
  return value === undefined ? number : number.default(value);
}
const part = (value: number) => z.number().min(0).max(1).default(value);
const section = <T extends z.core.$ZodLooseShape>(shape: T) => z.strictObject(shape).prefault({} as never);

const scope = z.enum(["read", "write", "admin"]);
const scopes = (value: z.infer<typeof scope>[]) => z.array(scope).default(value);
const TOOLS = OPERATION_KINDS.map((kind) => traitsOf({ kind }).tool);
const gatewayTool = z
  .string()
  .refine(
    (name) => TOOLS.includes(name) || /^[a-z0-9_-]+\/./.test(name),
    "is not a tool: `awoooi tools ls` lists them, `awoooi operations ls` those that could be",
  );

const matchers = z.array(
  z.string().superRefine((text, { addIssue }) => {
    try {
      compileMatchers(parseMatchers(text));
    } catch (error) {
      addIssue({ code: "custom", message: messageOf(error) });
    }
  }),
);

// RFC 1918, RFC 4193, link-local and loopback: the addresses of a small team's own network.
const PRIVATE = [
  "127.0.0.0/8",
  "::1",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/** Limits of one source; see docs/reference/awoooi.yaml. */
const sourceLimits = {
  requests_per_second: rate(20_000),
  burst: rate(40_000),
  sender_requests_per_second: rate(20_000),
  body_limit: z.number().int().min(1_024).optional(),
  wasted_bytes_per_second: rate(1024 * 1024),
  dead_letters_per_hour: rate(600),
  dead_letter_bytes_per_hour: rate(10 * 1024 * 1024),
  dead_letter_bytes_kept: rate(256 * 1024 * 1024),
  new_fingerprints: rate(10_000),
  new_fingerprints_per_hour: rate(1_000),
};
/** Overrides for a named source: a missing limit has the common value. */
const ownLimits = z.strictObject(
  Object.fromEntries(Object.keys(sourceLimits).map((name) => [name, rate().optional()])) as {
    [name in keyof typeof sourceLimits]: z.ZodOptional<z.ZodNumber>;
  },
);

/** Returns the settings of kinds of sources in a section, or at the top level for null; `createSources` reads them. */
function sourceSettings(section: string | null): Record<never, never> {
  const own = SOURCES.flatMap(({ settings }): [string, z.ZodType][] => {
    const [name = "", above = null] = settings?.path.split(".").reverse() ?? [];
    return settings !== undefined && above === section ? [[name, settings.schema]] : [];
  });
  return Object.fromEntries(own);
}

/** The sections of executors; `createAdapters` reads them by their paths. */
const executorSettings: Record<never, never> = Object.fromEntries(
  EXECUTORS.map(({ settings }) => [settings.path, settings.schema]),
);

/** Every setting with its default. Durations are seconds after parsing. */
export const configSchema = z.strictObject({
  env: z.enum(["dev", "prod"]).default("dev"),
  /** Name of this installation: approvals that were signed in another one are not executed. */
  project: projectName.default("default"),
  /** Default: `./data`, or `/var/lib/awoooi` as root. */
  data_dir: z.string().min(1).optional(),
  server: section({
    host: z.string().default("127.0.0.1"),
    port: z.coerce.number().int().min(0).max(65_535).default(8000),
    log_level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  }),
  admin_token: secret(z.string().min(32, "must have at least 32 characters")).optional(),
  database: section({
    /** PostgreSQL to use instead of the embedded one. */
    url: secret(
      z.string().regex(/^postgres(ql)?:\/\//, "must begin with postgresql://"),
      "password",
    ).optional(),
    query_timeout: seconds("5s"),
  }),
  intake: section({
    body_limit: z
      .number()
      .int()
      .min(1_024)
      .max(256 * 1024 * 1024)
      .default(5 * 1024 * 1024),
    /** The default is that of `limits.new_fingerprints`; a genuine body of `body_limit` bytes holds fewer alerts. */
    alerts_per_body: z.number().int().min(1_000).max(1_000_000).default(10_000),
    answer_wait: seconds("2s"),
    backlog: section({
      requests: count(2_000),
      bytes: z
        .number()
        .int()
        .min(1_024)
        .default(256 * 1024 * 1024),
      receipts: count(100_000),
    }),
    limits: section({
      ...sourceLimits,
      sources: z
        .record(z.string().regex(/^[A-Za-z0-9:_.-]{1,64}$/, "is not a source"), ownLimits)
        .default({}),
    }),
    trusted_networks: z.array(z.string()).default(PRIVATE),
    proxies: z.array(z.string()).default([]),
    bearer_tokens: secret(z.array(z.string().min(16))).default([]),
    basic: z
      .array(z.strictObject({ username: z.string().min(1), password: secret(z.string().min(8)) }))
      .default([]),
    hmac_secrets: secret(z.array(z.string().min(1))).default([]),
    ...sourceSettings("intake"),
    /** Alertmanager's own API. Alertmanager itself allows everybody to read it. */
    alertmanager_api: section({ open_reads: z.boolean().default(false) }),
    signals: section({ debounce: seconds("3m") }),
    external_sites: z.array(z.string()).default([]),
    /** Names of alerts that report the progress of a CI/CD pipeline. */
    ci_cd: z.array(z.string()).default([]),
    resolve_timeout: seconds("5m"),
    /** Senders' words for severities, which take precedence over the shipped table. */
    severities: z
      .record(
        z
          .string()
          .max(64)
          .refine((word) => foldSeverity(word) !== "", "is no word"),
        severity,
      )
      .default({})
      .refine((own) => {
        const words = Object.keys(own).map(foldSeverity);
        return new Set(words).size === words.length;
      }, "two words are one: case, blanks, -, _ and . do not count"),
    /** File of classification rules that are tried before the shipped ones. */
    classification: z.string().min(1).optional(),
  }),
  heartbeats: section({
    /** For heartbeats not in `expected`: the normal silence, or 1.5 times the longest gap so far if that is longer. */
    interval: seconds("15m"),
    expected: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(200),
          source: z.string().min(1).optional(),
          /** In Alertmanager's syntax. Without matchers every heartbeat of the source counts. */
          matchers: matchers.default([]),
          interval: duration,
          severity: z.enum(["critical", "high", "warning", "low"]).default("critical"),
        }),
      )
      .default([])
      .refine(
        (list) => new Set(list.map((one) => one.name)).size === list.length,
        "two heartbeats have the same name",
      ),
  }),
  ...sourceSettings(null),
  /** Recurring maintenance windows, in which alerts are silenced. */
  maintenance: z
    .array(maintenanceWindow)
    .default([])
    .refine(
      (list) => new Set(list.map((one) => one.name)).size === list.length,
      "two windows have the same name",
    ),
  inhibit_rules: z.array(inhibitRule).default([]),
  redis: section({
    /** Redis with the stream of signals; without it signals go straight into the journal. */
    url: secret(
      z.string().regex(/^rediss?:\/\//, "must begin with redis:// or rediss://"),
      "password",
    ).optional(),
    stream: z.string().min(1).max(200).default("awoooi:signals"),
    stream_cap: count(10_000),
    claim_after: seconds("10s"),
  }),
  incident: section({
    active_window: seconds("5m"),
    repair_window: seconds("30m"),
    cool_down: seconds("30m"),
    watch: seconds("1h"),
    ttl: seconds("7d"),
    close_after: seconds("7d"),
    escalation: section({ in_24_hours: count(3), in_7_days: count(10), in_30_days: count(20) }),
    /** An incident flaps after `ends` ends within `within`; flapping is over after the same time without one. */
    flapping: section({ ends: z.number().int().min(2).max(1_000).default(3), within: seconds("10m") }),
    correlation: section({
      enabled: z.boolean().default(true),
      window: seconds("10m"),
      /** False: incidents are linked, but never merged automatically. */
      merge: z.boolean().default(true),
      release_after: seconds("10m"),
      /** File with the dependencies between services. */
      topology: z.string().min(1).optional(),
    }),
  }),
  decision: section({
    mode: z.enum(["suggest", "shadow", "auto"]).default("suggest"),
    rules: z.string().min(1).optional(),
    playbook: section({
      similarity: part(0.85),
      success_rate: part(0.8),
      trust: part(0.5),
      cold_start: z.boolean().default(false),
    }),
    /** File with the services that may be repaired automatically. */
    service_registry: z.string().min(1).optional(),
    time: seconds("30s"),
    /** The part of `time` for gathering evidence about the target. */
    evidence_time: seconds("10s").refine((value) => value <= 25, "must be at most 25s"),
    token_valid: seconds("1h"),
  }),
  approval: section({
    required_signatures: section({ low: count(1), medium: count(1), high: count(2), critical: count(2) }),
    expires_after: seconds("1h"),
    authority: seconds("600s"),
  }),
  execution: section({
    retries: z.number().int().min(0).max(10).default(2),
    retry_wait: seconds("30s"),
    timeout: seconds("60s"),
    read_timeout: seconds("10s"),
    deadline: seconds("20m"),
    frozen: z.boolean().default(false),
    freeze_windows: z
      .array(freezeWindow)
      .default([])
      .refine(
        (list) => new Set(list.map((one) => one.name)).size === list.length,
        "two windows have the same name",
      ),
    disabled_tools: z.array(gatewayTool).default([]),
    grants: section({
      approval_executor: scopes(["read", "write"]),
      auto_repair: scopes(["read", "write"]),
      planner: z.array(z.literal("read")).default(["read"]),
    }),
    max_per_hour: section({ target: count(10), total: count(60) }),
    automatic: section({ max_per_hour: section({ target: count(3), total: count(20) }) }),
  }),
  verification: section({
    wait: seconds("10s"),
    collect: seconds("30s"),
    interval: seconds("1s"),
    healthy_in_a_row: count(3),
    look_timeout: seconds("10s"),
  }),
  sweep: section({ every: seconds("5s") }),
  retention: z
    .strictObject({
      every: seconds("1h").refine((value) => value >= 1 && value <= 7 * 86_400, "must be between 1s and 7d"),
      receipts: keeping(1).prefault("7d"),
      dead_letters: keeping(1).prefault("30d"),
      alerts: keeping(1).prefault("90d"),
      notices: keeping(1).prefault("30d"),
      silences: keeping(1).prefault("90d"),
      repairs: keeping(1).prefault("90d"),
      repairs_per_key: count(100),
      // Lost work is rerun within a day, and its earlier runs must still be there to be counted.
      workflows: keeping(2).prefault("7d"),
      incidents: keepingOrForever(1).prefault("forever"),
      batch: count(5_000),
    })
    .prefault({})
    .refine(
      ({ incidents, alerts, notices, repairs }) =>
        incidents === null || incidents >= Math.max(alerts, notices, repairs),
      {
        path: ["incidents"],
        message: "must be kept as long as alerts, notices and repairs, which name them",
      },
    ),
  notification: notificationSchema,
  metrics: section({
    /** Networks that may read the metrics without a token, besides this machine. */
    networks: z.array(z.string()).default([]),
  }),
  ...executorSettings,
});

export type Config = z.infer<typeof configSchema>;
