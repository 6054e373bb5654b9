import type { Ctx } from "../db/ctx.ts";
import { assertEpoch } from "../db/epoch.ts";
import type { AutoTerms, Rules, ServiceRegistry } from "../decision/index.ts";
import {
  authoriseObservation,
  type Gateway,
  type GatewayOptions,
  isOffered,
  traitsFor,
} from "../execution/index.ts";
import { NO_TOPOLOGY, parseTopology } from "../incident/index.ts";
import { type Classification, expectedHeartbeat, ownSource } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import { compileMatchers, parseMatchers } from "../lib/matchers.ts";
import type { IntakeUptime, PipelineDeps } from "../pipeline/index.ts";
import { createMuting } from "../silence/index.ts";
import type { Config } from "./config/schema.ts";
import { type Adapters, knownNames } from "./create-adapters.ts";
import { isThisMachine } from "./this-machine.ts";

/** The contents of the rule files; `topology` is not parsed yet. */
export type RuleFiles = {
  rules: Rules;
  classification: Classification;
  topology: unknown;
  services: ServiceRegistry | null;
};

/** Returns the conditions under which playbooks run automatically, from a configuration and its files. */
function autoTerms({ config, files }: { config: Config; files: RuleFiles }): AutoTerms {
  const { mode, playbook } = config.decision;
  const { in_30_days: repeats } = config.incident.escalation;
  return { mode, terms: playbook, services: files.services, repeats };
}

/** Returns the gateway's settings from a configuration and its files. Executions use those of the configuration in force. */
export function createGateway(
  { config, files }: { config: Config; files: RuleFiles },
  { executors }: Pick<Adapters, "executors">,
  epoch: number,
): GatewayOptions {
  const { required_signatures, authority } = config.approval;
  const { frozen, freeze_windows, disabled_tools, grants, max_per_hour, automatic, read_timeout } =
    config.execution;
  return {
    frozen,
    freeze_windows,
    disabled_tools,
    grants,
    max_per_hour,
    automatic,
    read_timeout,
    executors,
    project: config.project,
    mode: config.decision.mode,
    by_itself: autoTerms({ config, files }),
    required_signatures,
    authority,
    assertLeader: (ctx) => assertEpoch(ctx, epoch),
  };
}

/** Returns the dependencies of the pipeline: adapters, settings and rules. */
export function createPipelineDeps(
  { config, files }: { config: Config; files: RuleFiles },
  adapters: Adapters,
  own: GatewayOptions,
  server: {
    ctxOf: (actor: Actor) => Ctx;
    onReceived: PipelineDeps["onReceived"];
    onSilenced: PipelineDeps["onSilenced"];
    intake_uptime: IntakeUptime;
    /** Returns the gateway of the configuration in force at the time of the call: running work uses that, not its own. */
    gateway: Gateway;
    busy_wait: number;
  },
): PipelineDeps {
  const { ctxOf, onReceived, onSilenced, intake_uptime, gateway, busy_wait } = server;
  const { mode, time, evidence_time, token_valid } = config.decision;
  const { active_window, repair_window, correlation, ...waits } = config.incident;
  const { required_signatures, expires_after, authority } = config.approval;
  const { retries, retry_wait, timeout, deadline } = config.execution;
  const { project } = config;
  return {
    as: (name) => ctxOf({ kind: "system", name }),
    sources: [ownSource, ...adapters.sources],
    classification: files.classification,
    resolve_timeout: config.intake.resolve_timeout,
    intake_uptime,
    heartbeats: {
      interval: config.heartbeats.interval,
      expected: config.heartbeats.expected.map(({ matchers, source = null, ...one }) =>
        expectedHeartbeat({
          ...one,
          source,
          matches: matchers.length === 0 ? null : compileMatchers(matchers.flatMap(parseMatchers)),
        }),
      ),
    },
    muting: createMuting({
      windows: config.maintenance,
      rules: config.inhibit_rules,
      ttl: config.incident.ttl,
    }),
    alerts_per_body: config.intake.alerts_per_body,
    debounce: config.intake.signals.debounce,
    windows: { active: active_window, repair: repair_window, ...waits },
    correlation: {
      ...correlation,
      topology: files.topology === null ? NO_TOPOLOGY : parseTopology(files.topology),
    },
    known: {
      processes: knownNames(config, "processes"),
      isHere: isThisMachine,
      hosts: knownNames(config, "hosts"),
      looksAt: (target) => adapters.investigators.some((one) => one.investigates(target)),
    },
    decide: {
      rules: files.rules,
      playbook: config.decision.playbook,
      mode,
      valid_for: token_valid,
      executable: (operation) => isOffered(own, operation),
      // Only for external tools, whose risk the operator has configured; for other operations the rule's risk counts.
      leastRisk: (operation) =>
        operation.kind === "tool.call" ? traitsFor(own.executors, operation)?.risk : undefined,
    },
    approval: { project, required_signatures, prepare: time, expires_after, authority },
    run: { gateway, retries, retry_wait, busy_wait, timeout, deadline },
    observers: adapters.observers,
    investigators: adapters.investigators,
    evidence: {
      time: evidence_time,
      refusal: (tool) => authoriseObservation(gateway(), { caller: "planner", tool }),
    },
    verification: config.verification,
    onReceived,
    onSilenced,
  };
}
