import type { Ctx } from "../db/ctx.ts";
import { holdEpoch } from "../db/epoch.ts";
import { loadRules } from "../decision/index.ts";
import { loadClassification } from "../intake/index.ts";
import type { Actor } from "../lib/actor.ts";
import type { Journey } from "../pipeline/index.ts";
import type { Adapters } from "./adapters.ts";
import type { Config } from "./config-schema.ts";

/** Binds adapters and settings to the journey. Reads and checks the rule files. */
export function createJourney(
  config: Config,
  adapters: Adapters,
  ctxOf: (actor: Actor) => Ctx,
  epoch: number,
): Journey {
  const { mode, rules, time, token_valid } = config.decision;
  const { active_window, repair_window, ...waits } = config.incident;
  const { required_signatures, expires_after, authority } = config.approval;
  const { retries, retry_wait, timeout, deadline, frozen, max_per_hour, read_timeout } = config.execution;
  const { executors } = adapters;
  return {
    as: (name) => ctxOf({ kind: "system", name }),
    sources: adapters.sources,
    classification: loadClassification(config.intake.external_sites),
    windows: { active: active_window, repair: repair_window, ...waits },
    known: { processes: config.processes.map((one) => one.name) },
    decide: {
      rules: loadRules(rules),
      mode,
      valid_for: token_valid,
      executable: ({ kind }) => executors.some((one) => one.kinds.includes(kind)),
    },
    approval: { required_signatures, prepare: time, expires_after, authority },
    run: {
      gateway: {
        executors,
        grants: { approval_executor: ["read", "write"], planner: ["read"] },
        mode,
        frozen,
        max_per_hour,
        read_timeout,
        mayBegin: (ctx) => holdEpoch(ctx, epoch),
      },
      retries,
      retry_wait,
      timeout,
      deadline,
    },
    observers: adapters.observers,
    verification: config.verification,
  };
}
