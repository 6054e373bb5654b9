import { alertmanager } from "../../src/adapters/sources/alertmanager/index.ts";
import { generic } from "../../src/adapters/sources/generic/index.ts";
import { prometheus } from "../../src/adapters/sources/prometheus/index.ts";
import { signalSource } from "../../src/adapters/sources/signal/index.ts";
import type { Ctx } from "../../src/db/ctx.ts";
import { people, tokens } from "../../src/db/schema.ts";
import { loadRules } from "../../src/decision/index.ts";
import type { GatewayOptions } from "../../src/execution/index.ts";
import { NO_TOPOLOGY } from "../../src/incident/index.ts";
import { loadClassification, ownSource } from "../../src/intake/index.ts";
import type { Actor, Role } from "../../src/lib/actor.ts";
import { addSeconds, type Clock } from "../../src/lib/clock.ts";
import { prefixedId } from "../../src/lib/id.ts";
import { IntakeUptime, type PipelineDeps } from "../../src/pipeline/index.ts";
import { createMuting } from "../../src/silence/index.ts";
import type { TestDatabase } from "./database.ts";

/** A clock that stands still until it is moved. */
export type SetClock = Clock & { forward(seconds: number): void };

export function setClock(start = "2026-05-04T08:00:00.000Z"): SetClock {
  let now = new Date(start);
  return {
    now: () => now,
    forward(seconds) {
      now = addSeconds(now, seconds);
    },
  };
}

/** The gateway of a test, with the defaults of the configuration: nothing is behind it. */
export const GATEWAY: GatewayOptions = {
  executors: [],
  project: "default",
  disabled_tools: [],
  grants: { approval_executor: ["read", "write"], auto_repair: ["read", "write"], planner: ["read"] },
  mode: "suggest",
  frozen: false,
  freeze_windows: [],
  max_per_hour: { target: 10, total: 60 },
  by_itself: {
    mode: "suggest",
    terms: { success_rate: 0.8, trust: 0.5, cold_start: false },
    services: null,
    repeats: 20,
  },
  required_signatures: { low: 1, medium: 1, high: 2, critical: 2 },
  authority: 600,
  automatic: { max_per_hour: { target: 3, total: 20 } },
  read_timeout: 5,
  assertLeader: async () => {},
};

export const TERMS: PipelineDeps["approval"] = {
  project: "default",
  required_signatures: { low: 1, medium: 1, high: 2, critical: 2 },
  prepare: 30,
  expires_after: 3600,
  authority: 600,
};

/** A journey with the shipped rules that is never carried out: its executor is there in name only. */
export function testPipelineDeps(database: TestDatabase, clock: Clock): PipelineDeps {
  return {
    as: (name) => database.ctx({ kind: "system", name }, clock),
    sources: [alertmanager.create(), generic.create(), prometheus.create(), signalSource.create(), ownSource],
    classification: loadClassification(),
    resolve_timeout: 300,
    intake_uptime: new IntakeUptime(() => 5),
    heartbeats: { interval: 900, expected: [] },
    alerts_per_body: 10_000,
    debounce: 180,
    windows: {
      active: 300,
      repair: 1800,
      cool_down: 1800,
      watch: 3600,
      ttl: 604_800,
      close_after: 604_800,
      escalation: { in_24_hours: 3, in_7_days: 10, in_30_days: 20 },
      flapping: { ends: 3, within: 600 },
    },
    correlation: {
      enabled: true,
      merge: true,
      window: 600,
      release_after: 600,
      topology: NO_TOPOLOGY,
    },
    known: { processes: ["demo-shop"] },
    decide: {
      rules: loadRules(),
      playbook: { similarity: 0.85, success_rate: 0.8 },
      mode: "suggest",
      valid_for: 3600,
      executable: () => true,
    },
    approval: TERMS,
    run: {
      gateway: () => ({ ...GATEWAY, read_timeout: 10 }),
      retries: 2,
      retry_wait: 30,
      busy_wait: 2,
      timeout: 60,
      deadline: 1200,
    },
    observers: [],
    investigators: [],
    evidence: { time: 10, refusal: () => undefined },
    verification: { wait: 10, collect: 30, interval: 1, healthy_in_a_row: 3, look_timeout: 10 },
    muting: createMuting({ windows: [], rules: [], ttl: 604_800 }),
    onReceived: () => {},
    onSilenced: () => {},
  };
}

export type Person = Extract<Actor, { kind: "person" }>;

/** A person who is in the database with a token of this role, signed in by it. */
export async function makePerson(ctx: Ctx, name: string, role: Role): Promise<Person> {
  const person_id = prefixedId("PER", ctx.random);
  const created_at = ctx.clock.now();
  await ctx.db.insert(people).values({ person_id, key: name, name, created_at });
  const token_id = prefixedId("TOK", ctx.random);
  const token = { token_id, person_id, name, role, hash: token_id, created_at, created_by: "test" };
  await ctx.db.insert(tokens).values(token);
  return { kind: "person", person_id, name, role, token_id };
}
