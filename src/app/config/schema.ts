import { z } from "zod";
import { freezeWindow } from "../../execution/index.ts";
import { duration, retentionDays, retentionDaysOrForever } from "../../lib/duration.ts";
import { messageOf } from "../../lib/error.ts";
import { compileMatchers, parseMatchers } from "../../lib/matchers.ts";
import { example, needsRestart, secret } from "../../lib/setting.ts";
import { OPERATION_KINDS, projectName, traitsOf } from "../../operation/index.ts";
import { inhibitRule, maintenanceWindow } from "../../silence/index.ts";
import { EXECUTORS, STREAMS } from "../adapters.ts";
import { count, part, seconds, section } from "./fields.ts";
import { intakeSection, sourceSettings } from "./intake.ts";
import { notificationSchema } from "./notification.ts";

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

/** Returns the sections of kinds of adapters; `createStream` and `createAdapters` read them by their paths. */
const sectionsOf = (
  kinds: readonly { settings: { path: string; schema: z.ZodType } }[],
): Record<never, never> => Object.fromEntries(kinds.map(({ settings }) => [settings.path, settings.schema]));

/** Every setting with its default and description. Durations are seconds after parsing. */
export const configSchema = z.strictObject({
  env: needsRestart(z.enum(["dev", "prod"]).default("dev")).describe("or prod, which is stricter"),
  project: needsRestart(projectName.default("default")).describe(
    "name of this installation; plans that were signed in an installation of another name are not executed: a production database that is restored for a trial changes nothing there, if the trial has a name of its own",
  ),
  data_dir: example(needsRestart(z.string().min(1).optional()), "./data").describe(
    "folder of the embedded database and the state of supervised processes; default: ./data, as root /var/lib/awoooi",
  ),
  server: section({
    host: needsRestart(z.string().default("127.0.0.1")),
    port: needsRestart(z.coerce.number().int().min(0).max(65_535).default(8000)),
    log_level: z
      .enum(["debug", "info", "warn", "error", "silent"])
      .default("info")
      .describe("debug, info, warn, error or silent"),
  }),
  admin_token: needsRestart(
    secret(z.string().min(32, "must have at least 32 characters")).optional(),
  ).describe(
    "at least 32 characters; without this setting the server makes a token at its first start and shows it once",
  ),
  database: needsRestart(
    section({
      url: example(
        secret(
          z.string().regex(/^postgres(ql)?:\/\//, "must begin with postgresql://"),
          "password",
        ).optional(),
        "postgresql://user:password@host/database",
      ).describe("PostgreSQL to use instead of the embedded one"),
      query_timeout: seconds("5s").describe(
        "if the database does not answer for this long, it counts as unavailable: 503",
      ),
    }),
  ),
  intake: intakeSection,
  heartbeats: section({
    interval: seconds("15m").describe(
      "for received heartbeats that `expected` does not list: the longest normal pause, or 1.5 times the longest pause so far if that is more",
    ),
    expected: z
      .array(
        z.strictObject({
          name: example(z.string().min(1).max(200), "prometheus-prod"),
          source: example(z.string().min(1).optional(), "alertmanager").describe("default: any"),
          matchers: example(matchers.default([]), ['cluster="prod"']).describe(
            "in Alertmanager's syntax: any alert that matches them; default: any heartbeat (a Watchdog) of the source",
          ),
          interval: example(duration, "10m"),
          severity: z.enum(["critical", "high", "warning", "low"]).default("critical"),
        }),
      )
      .default([])
      .refine(
        (list) => new Set(list.map((one) => one.name)).size === list.length,
        "two heartbeats have the same name",
      ),
  }).describe(
    "alerts that are sent all the time to show that monitoring works; an incident is opened when one stops",
  ),
  ...sourceSettings(null),
  maintenance: z
    .array(maintenanceWindow)
    .default([])
    .refine(
      (list) => new Set(list.map((one) => one.name)).size === list.length,
      "two windows have the same name",
    )
    .describe(
      "recurring times in which alerts that match all matchers are recorded, and open no incident; an alert that still fires at the end of such a time is handled then; for a single time use a silence: awoooi silences add",
    ),
  inhibit_rules: z
    .array(inhibitRule)
    .default([])
    .describe(
      "alerts that silence other alerts while they fire, in Alertmanager's syntax, including its older form",
    ),
  ...sectionsOf(STREAMS),
  incident: section({
    active_window: seconds("5m").describe(
      "the same trouble within this time after it was last seen continues its incident",
    ),
    repair_window: seconds("30m").describe(
      "the same trouble within this time after a repair counts against the repair",
    ),
    cool_down: seconds("30m").describe(
      "an incident that still fires this long after its plan ended without success, or after a person resolved it, comes back to people",
    ),
    watch: seconds("1h").describe(
      "people are notified again of an incident that only a person can repair if it still fires after this time",
    ),
    ttl: seconds("7d").describe("an incident about which no notice has come for this long is resolved"),
    close_after: seconds("7d").describe(
      "a resolved incident is closed after this time; the same trouble then opens a new one",
    ),
    escalation: section({ in_24_hours: count(3), in_7_days: count(10), in_30_days: count(20) }).describe(
      "how often the same trouble must occur to reach tier 2, 3 and 4",
    ),
    flapping: section({
      ends: z.number().int().min(2).max(1_000).default(3),
      within: seconds("10m"),
    }).describe(
      "an incident that ends this often within this time stays open until it has been quiet for as long; people are notified once, not each time",
    ),
    correlation: section({
      enabled: z.boolean().default(true),
      window: seconds("10m").describe(
        "incidents that begin within this time of each other may have the same cause",
      ),
      merge: z.boolean().default(true).describe("false: incidents are linked, and only people merge them"),
      release_after: seconds("10m").describe(
        "an effect that still fires this long after its main incident is over goes to people as an incident of its own",
      ),
      topology: example(z.string().min(1).optional(), "services.yaml").describe(
        "a file that says which service depends on which: { services: { api: { depends_on: [db] } } }",
      ),
    }).describe(
      "one fault often raises many alerts: their incidents are linked, or merged if the cause is clear",
    ),
  }),
  decision: section({
    mode: z
      .enum(["suggest", "shadow", "auto"])
      .default("suggest")
      .describe(
        "suggest: people decide; shadow: record what would be proposed, change nothing; auto: playbooks may run automatically",
      ),
    rules: example(z.string().min(1).optional(), "my-rules.yaml").describe(
      "a file of rules that replaces the shipped ones",
    ),
    playbook: section({
      similarity: part(0.85).describe("least similarity of an incident to the playbook's pattern, 0 to 1"),
      success_rate: part(0.8).describe(
        "least share of its runs that succeeded; a playbook that has never run passes",
      ),
      trust: part(0.5).describe("least trust to run automatically; three verified runs in a row are enough"),
      cold_start: z
        .boolean()
        .default(false)
        .describe("true: a playbook of low risk that has never run may run automatically"),
    }).describe(
      "approved playbooks are matched before the rules; docs/reference/playbooks.md describes them",
    ),
    service_registry: example(z.string().min(1).optional(), "service-registry.yaml").describe(
      "a file that says which services may be repaired automatically",
    ),
    time: seconds("30s").describe(
      "time for gathering evidence; after it people are asked, with the evidence found so far",
    ),
    evidence_time: seconds("10s")
      .refine((value) => value <= 25, "must be at most 25s")
      .describe("part of that time for reading facts about the target; also for `awoooi diagnose`"),
    token_valid: seconds("1h").describe("how long a decision's token is valid"),
  }),
  approval: section({
    required_signatures: section({
      low: count(1),
      medium: count(1),
      high: count(2),
      critical: count(2),
    }).describe("number of distinct people, by risk"),
    expires_after: seconds("1h").describe("a plan that has not been signed by then expires"),
    authority: seconds("600s").describe("how long after the last signature the plan may be executed"),
  }),
  execution: section({
    retries: z
      .number()
      .int()
      .min(0)
      .max(10)
      .default(2)
      .describe("further attempts after an error that may be temporary"),
    retry_wait: seconds("30s").describe("between two attempts"),
    timeout: seconds("60s").describe("of one change"),
    read_timeout: seconds("10s").describe(
      "of one read of a target, for a dry-run or to see whether a change took effect",
    ),
    deadline: seconds("20m").describe("an execution that has not ended after this time counts as failed"),
    frozen: z
      .boolean()
      .default(false)
      .describe("true: no change is made; `awoooi freeze` does the same without a change of this file"),
    freeze_windows: z
      .array(freezeWindow)
      .default([])
      .refine(
        (list) => new Set(list.map((one) => one.name)).size === list.length,
        "two windows have the same name",
      )
      .describe("recurring times in which no change is made"),
    disabled_tools: z
      .array(gatewayTool)
      .default([])
      .describe(
        "tools that are refused to every caller; `awoooi operations ls` lists them. `investigate` is every read of a target: without it no evidence is read and no repair can be verified",
      ),
    grants: section({
      approval_executor: scopes(["read", "write"]).describe(
        "executes plans that people have signed; `ssh_docker_prune` needs admin",
      ),
      auto_repair: scopes(["read", "write"]).describe("executes plans that policy has allowed"),
      planner: z.array(z.literal("read")).default(["read"]).describe("reads targets while a plan is made"),
    }).describe("the scopes of each caller: read, write, admin"),
    max_per_hour: section({ target: count(10), total: count(60) }).describe("limits of changes"),
    automatic: section({
      max_per_hour: section({ target: count(3), total: count(20) }),
    }).describe("of these, the changes for which no person has asked"),
  }),
  verification: section({
    wait: seconds("10s").describe("between the change and the first observation"),
    collect: seconds("30s").describe("how long to wait for the target to be healthy"),
    interval: seconds("1s").describe("between two observations"),
    healthy_in_a_row: count(3).describe("observations after which the target counts as healthy"),
    look_timeout: seconds("10s").describe("of one observation"),
  }),
  sweep: section({
    every: seconds("5s").describe(
      "how often the sweep looks for items that have been in a state for too long",
    ),
  }),
  retention: needsRestart(
    z
      .strictObject({
        every: seconds("1h")
          .refine((value) => value >= 1 && value <= 7 * 86_400, "must be between 1s and 7d")
          .describe("how often old records are deleted; also once at the start"),
        receipts: retentionDays(1).prefault("7d").describe("webhook calls, as they came"),
        dead_letters: retentionDays(1).prefault("30d").describe("webhook calls that could not be parsed"),
        alerts: retentionDays(1)
          .prefault("90d")
          .describe("since their last notice; their rows in the operation log since they came"),
        notices: retentionDays(1).prefault("30d").describe("notices to people"),
        silences: retentionDays(1).prefault("90d").describe("since they ended"),
        repairs: retentionDays(1).prefault("90d").describe("results of repairs"),
        repairs_per_key: count(100).describe(
          "of these, only the latest of each action on each anomaly are kept",
        ),
        // Lost work is rerun within a day, and its earlier runs must still be there to be counted.
        workflows: retentionDays(2)
          .prefault("7d")
          .describe("the engine's records of finished work; at least 2d"),
        incidents: retentionDaysOrForever(1)
          .prefault("forever")
          .describe(
            "or a duration since their end; with their decisions, approvals, executions and timeline",
          ),
        batch: count(5_000).describe("rows that one transaction deletes at most"),
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
  ).describe(
    "how long records in a final state are kept before they are deleted; never deleted: receipts that wait, alerts that fire in an active incident, records that are open or in progress, people and tokens, the audit ledger",
  ),
  notification: notificationSchema,
  metrics: section({
    networks: z
      .array(z.string())
      .default([])
      .describe(
        "networks that may read /metrics without a token, as this machine may; intake.proxies applies here too",
      ),
  }),
  ...sectionsOf(EXECUTORS),
});

export type Config = z.infer<typeof configSchema>;
