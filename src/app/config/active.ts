import { isDeepStrictEqual } from "node:util";
import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { ConfigStatus, Reloaded } from "../../contract/system.ts";
import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { loadRules, loadServiceRegistry } from "../../decision/index.ts";
import { type GatewayOptions, waitForStartingActs } from "../../execution/index.ts";
import { loadTopology } from "../../incident/index.ts";
import {
  loadClassification,
  programFrom,
  type SenderCheck,
  type SenderRequest,
  type SourceLimits,
  senderAddress,
  senderCheck,
  senderChecks,
} from "../../intake/index.ts";
import { canonicalJson, sha256 } from "../../lib/canonical-json.ts";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import type { Log } from "../../lib/log.ts";
import { restartPaths } from "../../lib/setting.ts";
import { createRouter, type Notifier, type Router } from "../../notification/index.ts";
import type { PipelineDeps } from "../../pipeline/index.ts";
import type { ProcessSupervisor } from "../../supervision/index.ts";
import { createSources } from "../create-adapters.ts";
import type { RuleFiles } from "../pipeline-deps.ts";
import { type Config, configSchema } from "./schema.ts";

/** A configuration with the files that it names, read and validated, without any side effect. */
export type CheckedConfig = {
  config: Config;
  files: RuleFiles;
  checkSender: (call: SenderRequest) => string;
  /** The check of callers, by source id. */
  senders: ReadonlyMap<string, SenderCheck>;
  /** Returns the address under which a sender is counted. */
  addressOf: (call: SenderRequest) => string;
  /** Returns the limits of a source. */
  limitsOf: (source: string) => SourceLimits;
  /** Returns whether a call may read the metrics without a token. */
  admitsScraper: (call: SenderRequest) => boolean;
  /** Routes notices to channels; null: every channel gets every notice. */
  router: Router | null;
  /** Hash of the configuration and of the contents of the rule files. */
  hash: string;
};

const LOOPBACK = ["127.0.0.0/8", "::1"];

/** Validates a configuration and reads the files that it names, for a start or reload. Throws `invalid`. */
export function checked(config: Config, log: Log): CheckedConfig {
  const { external_sites, ci_cd, classification, severities, hmac_secrets } = config.intake;
  const files = {
    rules: loadRules(config.decision.rules),
    classification: loadClassification(external_sites, classification, ci_cd, severities),
    topology: loadTopology(config.incident.correlation.topology),
    services: loadServiceRegistry(config.decision.service_registry),
  };
  // 64 bits: enough to distinguish configurations, too few to confirm a guessed secret.
  const hash = sha256(canonicalJson(JSON.parse(JSON.stringify({ config, files })))).slice(0, 16);
  const admitsScraper = programFrom([...LOOPBACK, ...config.metrics.networks], config.intake.proxies);
  const { routes } = config.notification;
  const checkSender = senderCheck(config.intake);
  const checks = senderChecks({ checkSender, hmac_secrets, required: config.env === "prod" }, log);
  return {
    config,
    files,
    checkSender,
    senders: new Map(
      createSources(config).flatMap(({ id, sender }) => (sender === null ? [] : [[id, sender(checks)]])),
    ),
    addressOf: senderAddress(config.intake.proxies),
    limitsOf: limitsOf(config.intake.limits),
    admitsScraper,
    router: routes.length === 0 ? null : createRouter(routes),
    hash,
  };
}

/** Returns a function from a source to its limits: the common ones, overridden by its own. */
function limitsOf({ sources, ...all }: Config["intake"]["limits"]): (source: string) => SourceLimits {
  const own = new Map(
    Object.entries(sources).map(([source, limits]) => [source, { ...all, ...withoutUndefined(limits) }]),
  );
  return (source) => own.get(source) ?? all;
}

const withoutUndefined = (limits: Config["intake"]["limits"]["sources"][string]): Partial<SourceLimits> =>
  Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));

/** Everything created from one configuration. It is built completely and then put in force by one assignment. */
export type LiveConfig = CheckedConfig & {
  pipeline: PipelineDeps;
  /** Settings of the gateway's gates. */
  gateway: GatewayOptions;
  notifiers: readonly Notifier[];
  supervisor: ProcessSupervisor;
  loaded_at: Date;
};

/** The paths of settings that need a restart, with everything below them. */
const FIXED = restartPaths(configSchema);

const isTree = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** Returns the dotted paths of the settings in which two configurations differ; a list is one setting. */
function differences(one: unknown, other: unknown, path = ""): string[] {
  if (isTree(one) && isTree(other)) {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...keys].flatMap((key) =>
      differences(one[key], other[key], path === "" ? key : `${path}.${key}`),
    );
  }
  return isDeepStrictEqual(one, other) ? [] : [path];
}

function changes(before: CheckedConfig, after: CheckedConfig): string[] {
  const { rules, classification, topology, services } = before.files;
  const files = [
    ...(isDeepStrictEqual(rules, after.files.rules) ? [] : ["decision.rules"]),
    ...(isDeepStrictEqual(classification.rules, after.files.classification.rules)
      ? []
      : ["intake.classification"]),
    ...(isDeepStrictEqual(topology, after.files.topology) ? [] : ["incident.correlation.topology"]),
    ...(isDeepStrictEqual(services, after.files.services) ? [] : ["decision.service_registry"]),
  ];
  return [...new Set([...differences(before.config, after.config), ...files])].sort();
}

function refuseWhatNeedsRestart(changed: readonly string[]): void {
  const fixed = changed.filter((path) =>
    FIXED.some((one) => path === one || path.startsWith(`${one}.`) || one.startsWith(`${path}.`)),
  );
  if (fixed.length === 0) return;
  const errors = fixed.map((path) => ({ path, message: "cannot change while the server runs" }));
  throw new AwoooiError("restart_needed", "These settings need a restart; nothing was changed.", { errors });
}

export type ActiveConfigDeps = {
  /** Reads the configuration again. Throws `invalid`. */
  load: () => Config;
  /** Creates everything that a configuration needs, while another one is in force. */
  build: (next: CheckedConfig) => Pick<LiveConfig, "pipeline" | "gateway" | "notifiers" | "supervisor">;
  /** Called just before the new configuration is in force; must not throw. */
  applied: (live: LiveConfig) => void;
  /** Returns effects of the reload that people should know and that no setting shows. */
  notes: (before: LiveConfig, now: LiveConfig) => Promise<string[]>;
};

export type ActiveConfig = {
  /** Returns the configuration in force. Call it once per unit of work: two calls may return different ones. */
  current(): LiveConfig;
  status(ctx: Ctx): ConfigStatus;
  reload(ctx: Ctx): Promise<Reloaded>;
};

const ADMISSION = { people: "admin", system: ["bootstrap"] } as const;

/** Creates the holder of the configuration in force, which a reload replaces as a whole or not at all. */
export function createActiveConfig(first: LiveConfig, deps: ActiveConfigDeps): ActiveConfig {
  let live = first;
  let lastReload: Promise<unknown> = Promise.resolve();

  const statusOf = ({ hash, loaded_at }: LiveConfig): ConfigStatus => ({
    hash,
    loaded_at: loaded_at.toISOString(),
  });

  async function replace(ctx: Ctx): Promise<Reloaded> {
    const next = checked(deps.load(), ctx.log);
    const changed = changes(live, next);
    refuseWhatNeedsRestart(changed);
    if (changed.length === 0) return { ...statusOf(live), changed, notes: [] };
    const before = live;
    const built: LiveConfig = { ...next, ...deps.build(next), loaded_at: ctx.clock.now() };
    await transaction(ctx, async (tx) => {
      record(tx, { action: "config.reloaded", subject: built.hash, data: { from: live.hash, changed } });
    });
    deps.applied(built);
    live = built;
    // Executions that were just beginning use the old configuration. Wait, so that none does once this returns.
    await waitForStartingActs(ctx).catch((error: unknown) =>
      ctx.log.error({ error: messageOf(error) }, "could not wait for executions that were starting"),
    );
    ctx.log.info({ hash: built.hash, changed }, "the configuration was reloaded");
    const notes = await deps.notes(before, built).catch((error: unknown) => [messageOf(error)]);
    for (const note of notes) ctx.log.info({ hash: built.hash }, note);
    return { ...statusOf(live), changed, notes };
  }

  async function reload(ctx: Ctx): Promise<Reloaded> {
    try {
      return await replace(ctx);
    } catch (error) {
      const reason = messageOf(error);
      const errors = error instanceof AwoooiError ? error.errors : [];
      ctx.log.error({ error: reason, errors }, "the configuration was not reloaded: the previous one stays");
      await transaction(ctx, async (tx) => {
        record(tx, { action: "config.reload_refused", subject: live.hash, data: { reason, errors } });
      }).catch((failure: unknown) =>
        ctx.log.error({ error: messageOf(failure) }, "the refused reload could not be audited"),
      );
      throw error;
    }
  }

  return {
    current: () => live,
    status(ctx) {
      authorise(ctx.actor, "see the state of the configuration", ADMISSION);
      return statusOf(live);
    },
    // One reload at a time: of two concurrent ones each would compare with a configuration that the other replaces.
    reload(ctx) {
      authorise(ctx.actor, "reload the configuration", ADMISSION);
      const mine = lastReload.then(() => reload(ctx));
      lastReload = mine.catch(() => {});
      return mine;
    },
  };
}
