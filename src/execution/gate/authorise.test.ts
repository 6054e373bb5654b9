import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Asked, approved, restartOf } from "../../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  GATEWAY,
  makePerson,
  type Person,
  type SetClock,
  setClock,
} from "../../../test/support/pipeline-deps.ts";
import { SEED } from "../../../test/support/random.ts";
import { ScriptedTarget } from "../../../test/support/scripted-executor.ts";
import type { Ctx } from "../../db/ctx.ts";
import { addSeconds } from "../../lib/clock.ts";
import { timeInterval } from "../../lib/time-interval.ts";
import { type Operation, planHash, type Scope } from "../../operation/index.ts";
import { insertFreeze } from "../freeze/store.ts";
import type { Caller, Executor, GatewayOptions } from "../types.ts";
import { authoriseCall, type Call } from "./authorise.ts";
import { configurationHash } from "./configuration-hash.ts";

let database: TestDatabase;
let clock: SetClock;
let options: GatewayOptions;
let ada: Person;
let bob: Person;
const target = new ScriptedTarget();

beforeAll(async () => {
  database = await createDatabase();
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
  bob = await makePerson(database.ctx(undefined, clock), "bob", "approver");
});
afterAll(() => database.drop());
beforeEach(() => forget());

/** Past the hour in which earlier changes would count, and with nothing frozen. */
async function forget(): Promise<void> {
  clock.forward(10_000);
  target.configured = undefined;
  options = { ...GATEWAY, executors: [target.executor] };
  await sql("delete from freezes");
}

const pipeline = (): Ctx => database.ctx({ kind: "system", name: "pipeline" }, clock);
const sql = (text: string, ...values: unknown[]) => database.pool.query(text, values);

const callOf = (plan: Asked, change: Partial<Call> = {}): Call => {
  const { incident_id, approval_id, plan_hash, operation } = plan;
  const run = { execution_id: `EXE-OF-${approval_id}`, approval_id, plan_hash };
  return { caller: "approval_executor", incident_id, operation, scope: "write", run, ...change };
};
async function refusalOf(call: Call) {
  const admission = await authoriseCall(pipeline(), options, call);
  return admission.ok ? null : admission.refusal;
}

/** A change that somebody made so many seconds ago. */
type Change = { operation: Operation; caller: Caller; ago: number; belongs_to?: readonly string[] };

async function past(like: Asked, change: Change) {
  const { rows } = await sql("select gen_random_uuid()::text as id");
  const id = rows[0].id as string;
  await sql(
    `insert into approvals select (jsonb_populate_record(a,
       jsonb_build_object('approval_id', $2::text, 'status', 'superseded'))).*
       from approvals a where approval_id = $1`,
    like.approval_id,
    id,
  );
  const at = addSeconds(clock.now(), -change.ago);
  await sql(
    `insert into executions (execution_id, incident_id, approval_id, operation, plan_hash, status, attempts,
                             caller, created_at, started_at, deadline, before)
     values ($1, $2, $1, $3, 'hash', 'success', 1, $4, $5, $5, $5, $6)`,
    id,
    like.incident_id,
    JSON.stringify(change.operation),
    change.caller,
    at,
    JSON.stringify({ belongs_to: change.belongs_to ?? [] }),
  );
}

const pruneOf = (name: string): Operation => ({
  kind: "host.docker_prune",
  target: { kind: "host", name },
  parameters: { what: "image", all_images: false },
});
const pruning = pruneOf("db-1");
const ssh: Executor = { ...target.executor, id: "ssh", kinds: ["host.docker_prune"] };

describe("gate 1", () => {
  it("refuses what was signed in another installation, as in one restored from its database", async () => {
    const plan = await approved([ada], database, clock);
    options.project = "staging";
    expect(await refusalOf(callOf(plan))).toMatchObject({
      gate: 1,
      code: "project_unknown",
      message: "Gate 1: the plan was signed in project default, but this is staging",
    });
  });

  it("takes plans from before installations had names, under the hash that they were signed with", async () => {
    const made = await approved([ada], database, clock);
    const { approval_id } = made;
    const { rows } = await sql(
      "update approvals set plan = plan - 'project' where approval_id = $1 returning plan",
      approval_id,
    );
    const plan_hash = planHash(rows[0].plan);
    expect(plan_hash).not.toBe(made.plan_hash);
    await sql("update approvals set plan_hash = $2 where approval_id = $1", approval_id, plan_hash);
    await sql("update signatures set plan_hash = $2 where approval_id = $1", approval_id, plan_hash);
    expect(await refusalOf(callOf({ ...made, plan_hash }))).toBeNull();
  });
});

describe("gate 2", () => {
  it("refuses a tool that the configuration disables, reads of it included", async () => {
    const plan = await approved([ada], database, clock);
    options.disabled_tools = ["process_restart"];
    for (const scope of ["read", "write"] as const)
      expect(await refusalOf(callOf(plan, { scope }))).toMatchObject({ gate: 2, code: "tool_disabled" });
  });
});

describe("gate 2, of what the tool is configured to do,", () => {
  const bound = async (configured: unknown) => {
    target.configured = configured;
    const made = await approved([ada], database, clock);
    const { rows } = await sql("select plan from approvals where approval_id = $1", made.approval_id);
    const plan = { ...rows[0].plan, configured: [configurationHash([target.executor], made.operation)] };
    const plan_hash = planHash(plan);
    await sql(
      "update approvals set plan = $2, plan_hash = $3 where approval_id = $1",
      made.approval_id,
      JSON.stringify(plan),
      plan_hash,
    );
    await sql("update signatures set plan_hash = $2 where approval_id = $1", made.approval_id, plan_hash);
    return { ...made, plan_hash };
  };
  const ARGV = { argv: ["/bin/web", "--port", "80"], env: { MODE: "safe" } };

  it.each<[string, unknown]>([
    ["another argument", { ...ARGV, argv: ["/bin/web", "--port", "81"] }],
    ["another environment", { ...ARGV, env: { MODE: "fast" } }],
    ["a target that is gone", undefined],
  ])("refuses a plan that was signed for something else: %s", async (_what, now) => {
    const plan = await bound(ARGV);
    expect(await refusalOf(callOf(plan))).toBeNull();
    target.configured = now;
    expect(await refusalOf(callOf(plan))).toMatchObject({ gate: 2, code: "tool_changed" });
    // To look at it, as for a new plan, is no change.
    expect(await refusalOf(callOf(plan, { scope: "read" }))).toBeNull();
    target.configured = { env: ARGV.env, argv: ARGV.argv };
    expect(await refusalOf(callOf(plan))).toBeNull();
  });

  it("is not asked of plans from before it was bound", async () => {
    const plan = await approved([ada], database, clock);
    target.configured = ARGV;
    expect(await refusalOf(callOf(plan))).toBeNull();
  });

  it("is bound by the hash that was signed: it cannot be taken out of the plan", async () => {
    const plan = await bound(ARGV);
    await sql("update approvals set plan = plan - 'configured' where approval_id = $1", plan.approval_id);
    expect(await refusalOf(callOf(plan))).toMatchObject({ gate: 5, code: "plan_mismatch" });
  });
});

describe("gate 5, of what was decided with other settings,", () => {
  it("asks for as many signatures as are needed now, where those are more", async () => {
    const plan = await approved([ada], database, clock);
    options.required_signatures = { ...GATEWAY.required_signatures, medium: 2 };
    expect(await refusalOf(callOf(plan))).toMatchObject({ gate: 5, code: "quorum_missing" });
    options.required_signatures = { low: 1, medium: 1, high: 1, critical: 1 };
    const twice = await approved([ada, bob], database, clock, undefined, "high");
    await sql(
      "delete from signatures where approval_id = $1 and person_id = $2",
      twice.approval_id,
      bob.person_id,
    );
    expect(await refusalOf(callOf(twice))).toMatchObject({ gate: 5, code: "quorum_missing" });
  });

  it("is authority for the shorter of both times", async () => {
    const plan = await approved([ada], database, clock);
    clock.forward(300);
    options.authority = 300;
    expect(await refusalOf(callOf(plan))).toMatchObject({ gate: 5, code: "authority_expired" });
    options.authority = 301;
    expect(await refusalOf(callOf(plan))).toBeNull();
    options.authority = 9_000;
    clock.forward(300);
    expect(await refusalOf(callOf(plan))).toMatchObject({ gate: 5, code: "authority_expired" });
  });
});

describe("gate 3", () => {
  it("has what only an admin's scope covers granted explicitly, and never by default", async () => {
    options.executors = [ssh];
    const plan = await approved([ada, bob], database, clock, pruning, "high");
    const denied = { gate: 3, code: "scope_not_granted" };
    expect(await refusalOf(callOf(plan))).toMatchObject(denied);
    expect(await refusalOf(callOf(plan, { caller: "auto_repair" }))).toMatchObject(denied);
    options.grants = { ...options.grants, approval_executor: ["read", "write", "admin"] };
    expect(await refusalOf(callOf(plan))).toBeNull();
    expect(await refusalOf(callOf(plan, { caller: "auto_repair" }))).toMatchObject(denied);
  });
});

describe("gate 4", () => {
  const freeze = { freeze_id: "FRZ-1", why: "we move the database", frozen_by: "ada" };

  it("says who has frozen changes, why, and until when; and lets go when that is over", async () => {
    const plan = await approved([ada], database, clock);
    const until = addSeconds(clock.now(), 60);
    await insertFreeze(pipeline(), { ...freeze, since: clock.now(), until });
    expect(await refusalOf(callOf(plan))).toEqual({
      gate: 4,
      code: "frozen",
      message: `Gate 4: changes are frozen by ada until ${until.toISOString()}: we move the database`,
    });
    expect(await refusalOf(callOf(plan, { scope: "read" }))).toBeNull();
    clock.forward(60);
    expect(await refusalOf(callOf(plan))).toBeNull();
  });

  it("changes nothing in a window, which it names with its reason", async () => {
    const monday = timeInterval.parse({
      weekdays: ["monday"],
      times: [{ start_time: "08:00", end_time: "18:00" }],
    });
    options.freeze_windows = [{ name: "trading", why: "customers trade", time_intervals: [monday] }];
    const at = clock.now();
    clock.forward((Date.UTC(2026, 5, 1, 17, 59) - at.getTime()) / 1000);
    const plan = await approved([ada], database, clock);
    expect(await refusalOf(callOf(plan))).toMatchObject({
      code: "freeze_window",
      message: "Gate 4: changes are frozen in the window trading: customers trade",
    });
    clock.forward(60);
    expect(await refusalOf(callOf(plan))).toBeNull();
  });

  it("counts automatic changes by themselves, and people's with all", async () => {
    options.automatic = { max_per_hour: { target: 1, total: 2 } };
    const plan = await approved([ada], database, clock);
    const auto = callOf(plan, { caller: "auto_repair" });
    // Past gate four it is told that people signed this plan, which is not for it to carry out.
    const passed = { gate: 5, code: "authority_policy" };
    await past(plan, { operation: plan.operation, caller: "approval_executor", ago: 60 });
    expect(await refusalOf(auto)).toMatchObject(passed);
    await past(plan, { operation: restartOf("other"), caller: "auto_repair", ago: 60 });
    expect(await refusalOf(auto)).toMatchObject(passed);
    await past(plan, { operation: restartOf("other"), caller: "auto_repair", ago: 60 });
    expect(await refusalOf(auto)).toMatchObject({ gate: 4, code: "rate_automatic_total" });
    await past(plan, { operation: plan.operation, caller: "auto_repair", ago: 60 });
    expect(await refusalOf(auto)).toMatchObject({ gate: 4, code: "rate_automatic_target" });
    expect(await refusalOf(callOf(plan))).toBeNull();
  });

  it("counts what belongs to one thing as that, whichever of them was acted on before", async () => {
    const kinds = {
      container: "host.docker_restart",
      compose_service: "host.docker_compose_restart",
      pod: "kubernetes.delete_pod",
      deployment: "kubernetes.rollout_restart",
      node: "kubernetes.drain",
    } as const;
    type On = { kind: keyof typeof kinds; name: string; namespace?: string; host?: string };
    const acting = (on: On) => ({ kind: kinds[on.kind], target: on, parameters: {} }) as Operation;
    const long = "payments-reconciliation-with-the-general-ledger-nightly-worker";
    const web = { kind: "container", name: "shop-db-1", host: "web1" } as const;
    const service = { kind: "compose_service", name: "db", host: "web1" } as const;
    const pod = { kind: "pod", name: "renamed-0", namespace: "prod" } as const;
    const api = { kind: "deployment", name: "api", namespace: "prod" } as const;
    const cut = { kind: "pod", name: `${long.slice(0, 58)}x2x4z`, namespace: "prod" } as const;
    const worker = { kind: "deployment", name: long, namespace: "prod" } as const;
    for (const [first, second, owner_of_first, owner_of_second, same] of [
      [web, service, ["web1/db"], [], true],
      [service, web, [], ["web1/db"], true],
      [service, web, [], ["web1/cache"], false],
      [service, web, [], ["web2/db"], false],
      [pod, api, ["prod/api"], [], true],
      [api, pod, [], ["prod/api"], true],
      [pod, api, ["stage/api"], [], false],
      [cut, worker, [], [], true],
      [cut, { ...worker, name: "payments" }, [], [], false],
      // What ran on a machine that was emptied was not changed by that.
      [{ kind: "node", name: "n1" }, api, ["prod/api"], [], false],
    ] as const) {
      await forget();
      options.executors = [{ ...target.executor, kinds: Object.values(kinds) }];
      options.max_per_hour = { target: 1, total: 60 };
      const plan = await approved([ada], database, clock, acting(second));
      const caller = "approval_executor";
      await past(plan, { operation: acting(first), caller, ago: 60, belongs_to: owner_of_first });
      const { run, ...call } = callOf(plan);
      const refused = await refusalOf({
        ...call,
        ...(run && { run: { ...run, belongs_to: owner_of_second } }),
      });
      expect([first, second, refused?.code]).toEqual([first, second, same ? "rate_target" : undefined]);
    }
  });

  it("counts one target as one, however it is spelled", async () => {
    const restart = (target: object) =>
      ({ kind: "kubernetes.rollout_restart", target, parameters: {} }) as Operation;
    const api = { kind: "deployment", name: "api", namespace: "prod" };
    const k8s: Executor = { ...target.executor, kinds: ["kubernetes.rollout_restart"] };
    for (const [other, same] of [
      [{ ...api, cluster: "eu" }, true],
      [{ ...api, kind: "pod", name: "api-7d9f8b6c54-x2x4z" }, true],
      [{ ...api, namespace: undefined }, true],
      [{ ...api, namespace: "stage" }, false],
      [{ ...api, name: "apis" }, false],
      [{ kind: "process", name: "api" }, false],
    ] as const) {
      await forget();
      options.executors = [k8s];
      options.max_per_hour = { target: 1, total: 60 };
      const plan = await approved([ada], database, clock, restart(api));
      expect(await refusalOf(callOf(plan))).toBeNull();
      await past(plan, { operation: restart(other), caller: "approval_executor", ago: 60 });
      const refused = await refusalOf(callOf(plan));
      expect([other, refused?.code]).toEqual([other, same ? "rate_target" : undefined]);
    }
    // People's changes of another cluster are of another target; what runs by itself is held to the sum.
    const plan = await approved([ada], database, clock, restart({ ...api, cluster: "eu" }));
    await past(plan, { operation: restart({ ...api, cluster: "us" }), caller: "auto_repair", ago: 60 });
    expect(await refusalOf(callOf(plan))).toBeNull();
    options.automatic = { max_per_hour: { target: 1, total: 60 } };
    expect(await refusalOf(callOf(plan, { caller: "auto_repair" }))).toMatchObject({
      code: "rate_automatic_target",
    });
  });
});

describe("all five gates", () => {
  const mostly = <T>(usual: T, ...others: T[]) =>
    fc.oneof(
      { weight: 12, arbitrary: fc.constant(usual) },
      { weight: 1, arbitrary: fc.constantFrom(...others) },
    );
  const scopes = fc.subarray<Scope>(["read", "write", "admin"]);
  const someGrants = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Scope[]>(["read", "write", "admin"]) },
    { weight: 1, arbitrary: scopes },
  );
  const situation = fc.record({
    caller: mostly<string>("approval_executor", "auto_repair", "auto_repair", "planner", "nobody"),
    scope: mostly<Scope>("write", "read", "admin"),
    admin: fc.boolean(),
    here: mostly("default", "staging"),
    offered: mostly(true, false),
    disabled: mostly(false, true),
    valid: mostly(true, false),
    grants: fc.record({ approval_executor: someGrants, auto_repair: someGrants, planner: someGrants }),
    shadow: mostly(false, true),
    frozen: mostly(false, true),
    freeze: mostly("none", "standing", "lifted", "over"),
    window: mostly("none", "open", "closed"),
    past: fc.array(
      fc.record({ same: fc.boolean(), auto: fc.boolean(), ago: fc.integer({ min: 0, max: 7_200 }) }),
      {
        maxLength: 3,
      },
    ),
    max: fc.record({ target: fc.integer({ min: 1, max: 5 }), total: fc.integer({ min: 1, max: 5 }) }),
    autoMax: fc.record({ target: fc.integer({ min: 1, max: 4 }), total: fc.integer({ min: 1, max: 4 }) }),
    status: mostly("approved", "pending", "expired", "superseded"),
    signed: mostly(2, 1, 0),
    age: mostly(1, 599, 600, 4_000),
    run: mostly("own", "none", "another"),
    incident: mostly("investigating", "mitigating", "resolved"),
  });
  type Situation = typeof situation extends fc.Arbitrary<infer S> ? S : never;

  /** The specification's sentence, once more and otherwise: the first gate that does not hold, or null. */
  function expected(s: Situation): number | null {
    const automatic = s.caller === "auto_repair";
    const knownCaller = ["approval_executor", "auto_repair", "planner"].includes(s.caller);
    if (!knownCaller || (s.run !== "none" && s.here !== "default")) return 1;
    if (!s.offered || s.disabled || !s.valid) return 2;
    const reads = s.scope === "read";
    const needs = reads ? "read" : s.admin ? "admin" : "write";
    if (!s.grants[s.caller as Caller].includes(needs)) return 3;
    if (reads) return null;
    const lately = s.past.filter((one) => one.ago < 3_600);
    const over = (list: typeof lately, max: { target: number; total: number }) =>
      list.length >= max.total || list.filter((one) => one.same).length >= max.target;
    const tooMany =
      over(lately, s.max) ||
      (automatic &&
        over(
          lately.filter((one) => one.auto),
          s.autoMax,
        ));
    const stopped = s.shadow || s.frozen || s.freeze === "standing" || s.window === "open";
    if (stopped || (s.run !== "none" && tooMany)) return 4;
    const live = s.status === "approved" && s.age < 600 && s.signed === 2 && s.run === "own";
    // All of these plans are people's.
    return live && !automatic && s.incident !== "resolved" ? null : 5;
  }

  async function arrange(s: Situation): Promise<Call> {
    await forget();
    const signers = [ada, bob];
    const wanted = s.admin ? pruning : undefined;
    const plan = await approved(signers, database, clock, wanted, "high");
    const { approval_id, incident_id, operation } = plan;
    const other = s.admin ? pruneOf("db-2") : restartOf("other");
    await sql("update approvals set status = $2 where approval_id = $1", approval_id, s.status);
    if (s.signed < 2)
      await sql("delete from signatures where approval_id = $1 and person_name = 'bob'", approval_id);
    if (s.signed < 1) await sql("delete from signatures where approval_id = $1", approval_id);
    await sql("update incidents set status = $2 where incident_id = $1", incident_id, s.incident);
    clock.forward(s.age);
    for (const { same, auto, ago } of s.past) {
      const caller = auto ? "auto_repair" : "approval_executor";
      await past(plan, { operation: same ? operation : other, caller, ago });
    }
    const now = clock.now();
    if (s.freeze !== "none")
      await insertFreeze(pipeline(), {
        freeze_id: "FRZ-1",
        why: "because",
        frozen_by: "ada",
        since: addSeconds(now, -10),
        until: s.freeze === "over" ? now : null,
        lifted_at: s.freeze === "lifted" ? now : null,
      });
    const day = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
    const weekday = day[(now.getUTCDay() + (s.window === "open" ? 0 : 3)) % 7];
    const interval = timeInterval.parse({ weekdays: [weekday] });
    options = {
      ...options,
      executors: s.offered ? [target.executor, ssh] : [],
      project: s.here,
      disabled_tools: s.disabled ? ["process_restart", "ssh_docker_prune"] : [],
      grants: s.grants,
      mode: s.shadow ? "shadow" : "suggest",
      frozen: s.frozen,
      freeze_windows: s.window === "none" ? [] : [{ name: "w", why: "because", time_intervals: [interval] }],
      max_per_hour: s.max,
      automatic: { max_per_hour: s.autoMax },
    };
    const asked = s.valid ? operation : ({ ...operation, parameters: { force: 1 } } as unknown as Operation);
    const call = callOf(plan, { caller: s.caller as Caller, scope: s.scope, operation: asked });
    if (s.run === "own") return call;
    const { run, ...without } = call;
    return s.run === "none" || run === undefined
      ? without
      : { ...without, run: { ...run, plan_hash: "0".repeat(64) } };
  }

  it("admit exactly what the specification lets through, and name the first gate that does not hold", async () => {
    const seen = new Set<number | null>();
    await fc.assert(
      fc.asyncProperty(situation, async (one) => {
        const refused = await refusalOf(await arrange(one));
        expect(refused?.gate ?? null).toBe(expected(one));
        seen.add(expected(one));
      }),
      { seed: SEED, numRuns: 100 },
    );
    expect(seen).toEqual(new Set([null, 1, 2, 3, 4, 5]));
  });
});
