import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import { startIdleEngine } from "../../../test/support/idle-engine.ts";
import { holdsAlways } from "../../../test/support/invariants.ts";
import {
  makePerson,
  type Person,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import { SEED } from "../../../test/support/random.ts";
import { approve } from "../../approval/index.ts";
import { publishApproval } from "../../approval/publish-plan.ts";
import { transaction } from "../../db/transaction.ts";
import { activeSince, forgetLesson, listLessons, reopen, resolve } from "../../incident/index.ts";
import type { Receipt } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { AwoooiError } from "../../lib/error.ts";
import { parseMatchers } from "../../lib/matchers.ts";
import { endSilence, silence, silenceIncident } from "../../silence/index.ts";
import { mergeManually, splitManually } from "../response/manual-merge.ts";
import { sweep } from "../sweep/sweep.ts";
import type { PipelineDeps } from "../types.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let endEngine = async () => {};
let clock: SetClock;
let deps: PipelineDeps;
let ada: Person;
let viewer: Person;

beforeAll(async () => {
  database = await createDatabase();
  // Launched without its queue: the sweep asks it what is under way.
  endEngine = await startIdleEngine(database);
  clock = setClock();
  ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
  viewer = await makePerson(database.ctx(undefined, clock), "vic", "viewer");
});
afterAll(async () => {
  await endEngine();
  await database.drop();
});
beforeEach(async () => {
  clock = setClock();
  deps = testPipelineDeps(database, clock);
  await clear();
});

async function clear() {
  began.clear();
  await database.forget();
}

type Raw = { alertname: string; deployment?: string; severity?: string };
const rows = async <T = Record<string, unknown>>(text: string, ...values: unknown[]) =>
  (await database.pool.query(text, values)).rows as T[];

/** When what fires now began to; a new one after each end. */
const began = new Map<string, string>();
function beganAt(key: string, status: "firing" | "resolved"): string {
  const at = began.get(key) ?? clock.now().toISOString();
  if (status === "firing") began.set(key, at);
  else began.delete(key);
  return at;
}

function bodyOf(status: "firing" | "resolved", alerts: readonly Raw[]) {
  return {
    version: "4",
    status,
    alerts: alerts.map(({ alertname, deployment = "web", severity = "warning" }) => ({
      status,
      labels: { alertname, severity, namespace: "prod", deployment },
      annotations: { summary: alertname },
      startsAt: beganAt(`${alertname}-${deployment}-${severity}`, status),
      ...(status === "firing" ? {} : { endsAt: clock.now().toISOString() }),
      fingerprint: `${alertname}-${deployment}-${severity}`,
    })),
  };
}

async function receiveAll(bodies: readonly ReturnType<typeof bodyOf>[]) {
  const row = {
    source: "alertmanager",
    sender: "127.0.0.1",
    body: Buffer.from("{}"),
    received_at: clock.now(),
  };
  const seqs = await insertReceipts(
    deps.as("intake"),
    bodies.map(() => row),
  );
  const deliveries = bodies.map((body, at) => ({ receipt: { ...row, seq: seqs[at] } as Receipt, body }));
  await processReceipts(deps.as("intake"), deps, deliveries);
}
const receive = (status: "firing" | "resolved", ...alerts: Raw[]) => receiveAll([bodyOf(status, alerts)]);
const fire = (...alerts: (string | Raw)[]) =>
  receive("firing", ...alerts.map((one) => (typeof one === "string" ? { alertname: one } : one)));
const end = (...names: string[]) => receive("resolved", ...names.map((alertname) => ({ alertname })));

type Row = {
  incident_id: string;
  title: string;
  merged_into: string | null;
  status: string;
  severity: string;
  affected_services: string[];
};
const of = async (name: string): Promise<Row> =>
  (
    await rows<Row>(
      "select * from incidents where title like $1 order by created_at desc limit 1",
      `${name}:%`,
    )
  )[0]!;
const told = async (name: string) => {
  const { incident_id } = await of(name);
  const found = await rows<{ topic: string }>(
    "select topic from outbox where incident_id = $1 order by seq",
    incident_id,
  );
  return found.map((row) => row.topic.replace("incident.", ""));
};
const asked = async (name: string) => {
  const { incident_id } = await of(name);
  const found = await rows<{ status: string }>(
    "select status from approvals where incident_id = $1 order by created_at",
    incident_id,
  );
  return found.map((row) => row.status);
};
const as = (person: Person) => database.ctx(person, clock);
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof AwoooiError ? error.code : String(error)),
  );

// Of one workload: what crashes stands nearer to the cause than what its callers feel.
const [CAUSE, EFFECT, OTHER] = ["KubePodCrashLooping", "HighErrorRate", "HighLatency"] as const;

describe("incidents of one trouble", () => {
  it("are merged into the cause, which alone is decided about and told", async () => {
    await fire(EFFECT, CAUSE, { alertname: OTHER, severity: "critical" });
    const main = await of(CAUSE);
    expect(main).toMatchObject({ merged_into: null, severity: "P0" });
    for (const name of [EFFECT, OTHER]) {
      expect(await of(name)).toMatchObject({ merged_into: main.incident_id, status: "investigating" });
      expect([await told(name), await asked(name)]).toEqual([[], []]);
    }
    expect([await told(CAUSE), await asked(CAUSE)]).toEqual([["opened"], ["preparing"]]);
    const links = await rows("select strength, cause_id from incident_links where strength = 'merge'");
    expect(links).toEqual(Array(2).fill({ strength: "merge", cause_id: main.incident_id }));
  });

  it("follow a cause that comes later, with the effects they had, unless somebody has signed", async () => {
    await fire(OTHER);
    await fire(EFFECT);
    const first = (await rows<Row>("select * from incidents where merged_into is null"))[0]!;
    clock.forward(30);
    await fire(CAUSE);
    const main = await of(CAUSE);
    expect((await rows<Row>("select * from incidents where merged_into is null")).length).toBe(1);
    expect(await rows("select 1 from incidents where merged_into = $1", main.incident_id)).toHaveLength(2);
    expect(await rows("select 1 from approvals where status <> 'superseded'")).toHaveLength(1);
    const name = first.title.split(":")[0]!;
    expect([await told(name), await asked(name)]).toEqual([["opened", "merged"], ["superseded"]]);

    await clear();
    deps = {
      ...deps,
      approval: { ...deps.approval, required_signatures: { low: 2, medium: 2, high: 2, critical: 2 } },
    };
    await fire(EFFECT);
    const { incident_id } = await of(EFFECT);
    const [{ approval_id }] = (await rows<{ approval_id: string }>("select approval_id from approvals")) as [
      { approval_id: string },
    ];
    await publishApproval(deps.as("pipeline"), { approval_id, checks: [] }, deps.approval);
    const [{ plan_hash }] = (await rows<{ plan_hash: string }>("select plan_hash from approvals")) as [
      { plan_hash: string },
    ];
    await approve(as(ada), { approval_id, plan_hash }, deps.approval);
    await fire(CAUSE);
    expect([(await of(EFFECT)).merged_into, (await of(CAUSE)).merged_into]).toEqual([null, null]);
    expect([await asked(EFFECT), await asked(CAUSE)]).toEqual([["pending"], ["preparing"]]);
    const [link] = await rows("select * from incident_links");
    expect(link).toMatchObject({ strength: "link", cause_id: (await of(CAUSE)).incident_id });
    expect(await codeOf(mergeManually(as(ada), { incident_id, into: (await of(CAUSE)).incident_id }))).toBe(
      "conflict",
    );
  });

  it("raise the main one once, and resolve and come back quietly while it is active", async () => {
    await fire(CAUSE, EFFECT);
    clock.forward(1);
    await receive("firing", { alertname: EFFECT, severity: "critical" });
    await receive("firing", { alertname: EFFECT, severity: "critical" });
    expect([(await of(CAUSE)).severity, await told(CAUSE)]).toEqual(["P0", ["opened", "raised"]]);
    await receive("resolved", { alertname: EFFECT }, { alertname: EFFECT, severity: "critical" });
    expect((await of(EFFECT)).status).toBe("resolved");
    clock.forward(60);
    await fire(EFFECT);
    expect(await of(EFFECT)).toMatchObject({
      status: "investigating",
      merged_into: (await of(CAUSE)).incident_id,
    });
    expect([await told(EFFECT), await asked(EFFECT)]).toEqual([[], []]);
  });

  it("raise the main one once also where its own alerts do so at the same time", async () => {
    await fire(CAUSE, OTHER);
    await rows("update approvals set status = 'rejected'");
    clock.forward(1);
    await fire(
      { alertname: CAUSE, severity: "high" },
      { alertname: OTHER, severity: "high" },
      { alertname: EFFECT, severity: "critical" },
    );
    expect((await of(EFFECT)).merged_into).toBe((await of(CAUSE)).incident_id);
    expect([(await of(CAUSE)).severity, await asked(CAUSE)]).toEqual(["P0", ["rejected", "preparing"]]);
  });

  it("come before people themselves when their cause is over and they still fire", async () => {
    await fire(CAUSE, EFFECT, OTHER);
    await end(CAUSE);
    expect((await of(CAUSE)).status).toBe("resolved");
    clock.forward(599);
    await sweep(deps);
    expect([await told(EFFECT), await asked(EFFECT)]).toEqual([[], []]);
    await end(OTHER);
    clock.forward(1);
    await sweep(deps);
    expect([await told(EFFECT), await asked(EFFECT), (await of(EFFECT)).merged_into]).toEqual([
      ["released"],
      ["preparing"],
      null,
    ]);
    expect([await told(OTHER), (await of(OTHER)).status]).toEqual([[], "resolved"]);
    const { rows: life } = await database.pool.query(
      "select text from timeline where incident_id = $1 order by seq",
      [(await of(EFFECT)).incident_id],
    );
    expect(life.map((one: { text: string }) => one.text).join("\n")).toContain(
      "its cause is resolved and it still fires",
    );
  });

  it("that come back after their cause is over are told at once", async () => {
    await fire(CAUSE, EFFECT);
    await end(CAUSE, EFFECT);
    clock.forward(60);
    await fire(EFFECT);
    expect([(await of(EFFECT)).merged_into, await told(EFFECT), await asked(EFFECT)]).toEqual([
      null,
      ["reopened"],
      ["preparing"],
    ]);
  });

  it("are told of themselves where their cause is silenced, and wait where they are silenced themselves", async () => {
    const quiet = (name: string) =>
      silence(as(ada), { matchers: parseMatchers(`alertname=${name}`), duration: 86_400, comment: "known" });
    await fire(CAUSE, OTHER);
    await silenceIncident(as(ada), {
      incident_id: (await of(CAUSE)).incident_id,
      duration: 86_400,
      comment: "known",
    });
    clock.forward(60);
    await fire(EFFECT);
    expect([(await of(EFFECT)).merged_into, await told(EFFECT)]).toEqual([null, ["opened"]]);
    expect(await rows("select 1 from incident_links where strength = 'link'")).toHaveLength(1);
    await end(OTHER);
    clock.forward(60);
    await fire(OTHER);
    expect([(await of(OTHER)).merged_into, await told(OTHER)]).toEqual([null, ["reopened"]]);

    await clear();
    await fire(CAUSE, EFFECT);
    const { silence_id } = await quiet(EFFECT);
    await sweep(deps);
    await end(CAUSE);
    clock.forward(600);
    await sweep(deps);
    expect([(await of(EFFECT)).merged_into, await told(EFFECT), await asked(EFFECT)]).toEqual([null, [], []]);
    await endSilence(as(ada), { silence_id });
    await sweep(deps);
    expect(await asked(EFFECT)).toEqual(["preparing"]);
  });

  it("stay apart where they are of other troubles, information, or merging is off", async () => {
    await fire(CAUSE, { alertname: EFFECT, deployment: "mail" }, { alertname: "Noted", severity: "info" });
    expect(await rows("select 1 from incidents where merged_into is not null")).toEqual([]);
    await clear();
    deps = { ...deps, correlation: { ...deps.correlation, merge: false } };
    await fire(CAUSE, EFFECT);
    expect(await rows("select strength from incident_links")).toEqual([{ strength: "link" }]);
    await clear();
    deps = { ...deps, correlation: { ...deps.correlation, enabled: false } };
    await fire(CAUSE, EFFECT);
    expect(await rows("select strength from incident_links")).toEqual([]);
  });

  it("are found by their own alerts, however many others have", async () => {
    await fire(...Array.from({ length: 40 }, (_, n) => ({ alertname: OTHER, deployment: `shop-${n}x` })));
    const columns = (
      await rows<{ name: string }>(
        "select column_name as name from information_schema.columns where table_name = 'alerts'",
      )
    ).map((row) => row.name);
    const other: Record<string, string> = {
      alert_id: "'ALT-' || n",
      instance_key: "'ALT-' || n",
      outage: "1000 + n",
      incident_id: "'INC-' || n % 5",
      first_received_at: "first_received_at - n * interval '1 second'",
    };
    await rows(
      `insert into alerts (${columns.join(", ")}) select ${columns.map((name) => other[name] ?? name).join(", ")}
         from (select * from alerts limit 1) one, generate_series(1, 20000) n`,
    );
    await rows("analyze alerts");
    const scans = await transaction(deps.as("intake"), async (tx) => {
      expect(await activeSince(tx, new Date(0), [], 500)).toHaveLength(40);
      return tx.db.execute("select pg_stat_get_xact_numscans('alerts_received_at'::regclass)::int as n");
    });
    expect(scans.rows).toEqual([{ n: 0 }]);
  });

  it("cost few queries, and one card for all that follows from one cause, in a storm of thousands", async () => {
    const names = [CAUSE, EFFECT, OTHER, "HighCPUUsage"];
    // A body of each workload: however they are put together in transactions, what is of one trouble stays together.
    const storm = Array.from({ length: 300 }, (_, n) =>
      names.map((alertname) => ({ alertname, deployment: `shop-${n}x` })),
    );
    await receiveAll(storm.map((alerts) => bodyOf("firing", alerts)));
    expect(await rows("select 1 from incidents")).toHaveLength(1_200);
    // The busy processor breaks a workload, too: it is put beside the crash, and not under it.
    for (const where of [
      "incidents where merged_into is null",
      "outbox where topic = 'incident.opened'",
      "decisions",
    ])
      expect([where, (await rows(`select 1 from ${where}`)).length]).toEqual([where, 600]);
  });
});

it("what was information joins the trouble that it turns out to be of", async () => {
  await fire({ alertname: EFFECT, severity: "info" });
  await fire(CAUSE);
  expect((await of(EFFECT)).merged_into).toBeNull();
  began.clear();
  await fire({ alertname: EFFECT, severity: "warning" });
  expect((await of(EFFECT)).merged_into).toBe((await of(CAUSE)).incident_id);
  expect(await asked(EFFECT)).toEqual([]);
});

/** Work of somebody else, on a connection of their own. */
async function inTransaction(
  work: (query: (text: string, values?: unknown[]) => Promise<unknown>) => Promise<void>,
) {
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    await work((text, values) => client.query(text, values));
    await client.query("commit");
  } finally {
    client.release();
  }
}

describe("an effect whose main incident is deleted", () => {
  const effect = async () => (await of(EFFECT)).incident_id;
  /** As retention leaves it that was in the middle of it, or an import that never had it. */
  const vanish = (incident_id: string) =>
    inTransaction(async (query) => {
      await query("set local session_replication_role = replica");
      await query("delete from incident_links where $1 in (incident_id, other_id)", [incident_id]);
      for (const table of ["timeline", "incidents"])
        await query(`delete from ${table} where incident_id = $1`, [incident_id]);
    });
  const doors: Record<string, () => Promise<unknown>> = {
    "by the sweep": () => sweep(deps),
    "by a person who parts them": async () => splitManually(as(ada), { incident_id: await effect() }),
    "by becoming worse": () => receive("firing", { alertname: EFFECT, severity: "critical" }),
    "by a person who takes it up again": async () => {
      await rows("update incidents set status = 'resolved' where incident_id = $1", await effect());
      await reopen(as(ada), { incident_id: await effect() });
    },
  };

  it.each(Object.entries(doors))("becomes one of its own %s", async (_how, open) => {
    await fire(CAUSE, EFFECT);
    const main = (await of(CAUSE)).incident_id;
    expect((await of(EFFECT)).merged_into).toBe(main);
    await vanish(main);
    await open();
    expect(await of(EFFECT)).toMatchObject({ merged_into: null, status: "investigating" });
    const story = await rows("select text from timeline where incident_id = $1", await effect());
    expect(JSON.stringify(story)).toContain(`No longer part of ${main}`);
  });

  it("does not wait for whoever is deleting it, who waits for the effect", async () => {
    await fire(CAUSE, EFFECT);
    const main = (await of(CAUSE)).incident_id;
    await inTransaction(async (query) => {
      await query("select 1 from incidents where incident_id = $1 for update", [main]);
      await transaction(as(ada), async (tx) => {
        await tx.db.execute("set local lock_timeout = '5s'");
        await splitManually(tx, { incident_id: await effect() });
      });
    });
    expect((await of(EFFECT)).merged_into).toBeNull();
  });
});

describe("people", () => {
  it("part what was merged, which is before people at once, and is not merged again until it is forgotten", async () => {
    await fire(CAUSE, EFFECT);
    const { incident_id } = await of(EFFECT);
    expect(await codeOf(splitManually(as(viewer), { incident_id }))).toBe("forbidden");
    for (let n = 0; n < 2; n += 1) await splitManually(as(ada), { incident_id, comment: "another disk" });
    expect([(await of(EFFECT)).merged_into, await told(EFFECT)]).toEqual([null, ["released"]]);
    await sweep(deps);
    expect(await asked(EFFECT)).toEqual(["preparing"]);
    const again = async () => {
      await rows("delete from alerts");
      began.clear();
      await rows("update incidents set status = 'closed', closed_at = now()");
      clock.forward(3_600);
      await fire(CAUSE, EFFECT);
      return (await of(EFFECT)).merged_into;
    };
    expect(await again()).toBeNull();
    expect(await rows("select strength from incident_links where ended_at is null")).toEqual([
      { strength: "link" },
    ]);
    const { rows: lessons } = await listLessons(as(viewer), { limit: 50 });
    expect(lessons).toMatchObject([{ lesson: "apart", taught_by: "ada" }]);
    await forgetLesson(as(ada), { lesson_id: lessons[0]!.lesson_id });
    expect(await codeOf(forgetLesson(as(ada), { lesson_id: lessons[0]!.lesson_id }))).toBe("not_found");
    expect(await again()).toBe((await of(CAUSE)).incident_id);
  });

  it("merge what belongs together, which is learnt", async () => {
    await fire(CAUSE, { alertname: EFFECT, deployment: "mail" }, { alertname: OTHER, deployment: "api" });
    const [main, effect, third] = [await of(CAUSE), await of(EFFECT), await of(OTHER)];
    const merge = (one: Row, into: Row, by = ada) =>
      codeOf(mergeManually(as(by), { incident_id: one.incident_id, into: into.incident_id }));
    expect(await merge(effect, main, viewer)).toBe("forbidden");
    expect(await merge(main, main)).toBe("invalid");
    for (let n = 0; n < 2; n += 1) expect(await merge(effect, main)).toBe("done");
    expect([await told(EFFECT), await asked(EFFECT)]).toEqual([["opened", "merged"], ["superseded"]]);
    // An effect stands for its main one, and a main one is no effect of its own effects.
    expect(await merge(third, effect)).toBe("done");
    expect((await of(OTHER)).merged_into).toBe(main.incident_id);
    expect(await merge(main, effect)).toBe("conflict");
    await resolve(as(ada), { incident_id: third.incident_id });
    await splitManually(as(ada), { incident_id: third.incident_id });
    expect(await merge(third, main)).toBe("conflict");
    // A person who takes an effect up again takes it out.
    await resolve(as(ada), { incident_id: effect.incident_id });
    await reopen(as(ada), { incident_id: effect.incident_id });
    expect((await of(EFFECT)).merged_into).toBeNull();

    await rows("delete from alerts");
    began.clear();
    await rows("update incidents set status = 'closed', closed_at = now()");
    clock.forward(3_600);
    await fire(CAUSE, { alertname: EFFECT, deployment: "mail" }, { alertname: OTHER, deployment: "api" });
    const merged = await rows<Row>(
      "select * from incidents where status = 'investigating' and merged_into is not null",
    );
    expect(merged).toHaveLength(1);
    expect([EFFECT, CAUSE].some((name) => merged[0]!.title.startsWith(name))).toBe(true);
  });
});

describe("any life of incidents that are merged and parted", () => {
  const NAMES = [CAUSE, EFFECT, OTHER];
  const DEPLOYMENTS = ["web", "api"];
  const alert = fc.record({
    alertname: fc.constantFrom(...NAMES),
    deployment: fc.constantFrom(...DEPLOYMENTS),
    severity: fc.constantFrom("warning", "critical"),
  });
  const act = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("fire" as const),
        alerts: fc.array(alert, { minLength: 1, maxLength: 4 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("end" as const),
        alerts: fc.array(alert, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom("merge" as const, "split" as const, "resolve" as const, "reopen" as const),
        one: fc.nat(20),
        other: fc.nat(20),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("wait" as const),
        seconds: fc.constantFrom(5, 60, 400, 700, 2_000),
      }),
    },
  );

  async function person(step: { do: "merge" | "split" | "resolve" | "reopen"; one: number; other: number }) {
    const ids = (
      await rows<{ incident_id: string }>(
        "select incident_id from incidents order by created_at, fingerprint",
      )
    ).map((row) => row.incident_id);
    const [incident_id, into] = [ids[step.one % ids.length], ids[step.other % ids.length]];
    if (incident_id === undefined || into === undefined) return;
    const verbs = {
      merge: () => mergeManually(as(ada), { incident_id, into }),
      split: () => splitManually(as(ada), { incident_id }),
      resolve: () => resolve(as(ada), { incident_id }),
      reopen: () => reopen(as(ada), { incident_id }),
    };
    expect(["done", "conflict", "invalid"]).toContain(await codeOf(verbs[step.do]()));
  }

  it("has no chains, hides nothing that fires, and leaves nothing waiting", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 18 }), async (steps) => {
        await clear();
        for (const step of steps) {
          if (step.do === "fire") await receive("firing", ...step.alerts);
          else if (step.do === "end") await receive("resolved", ...step.alerts);
          else if (step.do === "wait") clock.forward(step.seconds);
          else await person(step);
          clock.forward(1);
          await sweep(deps);
          await holdsAlways(database, clock.now(), 2);
        }
      }),
      { seed: SEED, numRuns: 12 },
    );
  });
});
