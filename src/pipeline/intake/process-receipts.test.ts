import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  makePerson,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import { SEED } from "../../../test/support/random.ts";
import { until } from "../../../test/support/until.ts";
import { verifyChain } from "../../audit/index.ts";
import { transaction } from "../../db/transaction.ts";
import { frequencies, getIncident, type IncidentRow, resolve, timelineOf } from "../../incident/index.ts";
import type { Receipt } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { insertRepair } from "../../learning/store.ts";
import type { PipelineDeps } from "../types.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = setClock();
  deps = testPipelineDeps(database, clock);
  await database.forget();
});

type RawAlert = {
  status?: string;
  labels: Record<string, unknown>;
  annotations?: Record<string, unknown>;
  startsAt?: string;
  endsAt?: string;
  fingerprint?: string;
};

const START = "2026-05-04T07:00:00Z";
const fire = (alertname: string, labels: Record<string, unknown> = {}, startsAt = START): RawAlert => ({
  status: "firing",
  labels: { alertname, severity: "warning", ...labels },
  startsAt,
});
const end = (alert: RawAlert): RawAlert => ({ ...alert, status: "resolved", endsAt: "2026-05-04T07:59:00Z" });
const body = (...alerts: unknown[]) => ({ version: "4", status: "firing", alerts });

/** Journals each body and has all of them processed in one go, as the worker does with a batch. */
async function receive(...bodies: unknown[]) {
  const ctx = deps.as("intake");
  const rows = bodies.map(() => ({
    source: "alertmanager",
    sender: "127.0.0.1",
    body: Buffer.from("what follows is parsed already"),
    received_at: clock.now(),
  }));
  const seqs = await insertReceipts(ctx, rows);
  const deliveries = rows.map((row, index) => ({
    receipt: { ...row, seq: seqs[index] as number } as Receipt,
    body: bodies[index],
  }));
  const answers = await processReceipts(ctx, deps, deliveries);
  clock.forward(1);
  return seqs.map((seq) => answers.get(seq)!);
}
const receiveOne = async (...alerts: RawAlert[]) => (await receive(body(...alerts)))[0]!;

async function rows<T = Record<string, unknown>>(text: string, values: unknown[] = []): Promise<T[]> {
  return (await database.pool.query(text, values)).rows as T[];
}
const incidents = () => rows<IncidentRow>("select * from incidents order by created_at, incident_id");
const onlyIncident = async () => {
  const all = await incidents();
  expect(all).toHaveLength(1);
  return all[0]!;
};
const approvals = () => rows<{ status: string }>("select * from approvals order by created_at, approval_id");
const dead = () =>
  rows<{ seq: number; error: string }>("select seq, error from receipts where state = 'dead' order by seq");
const topics = async () =>
  (await rows<{ topic: string }>("select topic from outbox order by seq")).map((row) => row.topic);
const DEPLOYMENT = { namespace: "prod", deployment: "web" };

describe("convergence", () => {
  /** What must not depend on the order in which deliveries came. */
  async function picture() {
    return {
      open: await rows(
        `select fingerprint, hit_count, severity, (select count(*)::int from alerts a where a.incident_id = i.incident_id) alerts
           from incidents i where status in ('investigating', 'mitigating') order by fingerprint`,
      ),
      alerts: await rows(
        "select identity, outage, status, fingerprint from alerts order by identity, outage",
      ),
    };
  }

  it("leads to the same open incidents, hit counts and alerts for any order, repetition and split", async () => {
    const alert = fc
      .record({
        name: fc.constantFrom("KubePodCrashLooping", "HighCPUUsage", "Odd"),
        workload: fc.constantFrom("web", "api"),
        start: fc.constantFrom(START, "2026-05-04T07:10:00Z", "2026-05-04T07:20:00Z"),
        severity: fc.constantFrom("critical", "warning", "info"),
      })
      .map(({ name, workload, start, severity }) =>
        fire(name, { namespace: "prod", deployment: workload, severity }, start),
      );
    const keyOf = (one: RawAlert) => JSON.stringify(one.labels);
    const scenario = fc
      .uniqueArray(alert, { minLength: 1, maxLength: 7, selector: keyOf })
      .chain((alerts) => {
        // The other of a pair saw it begin later.
        const deliveries = alerts.flatMap((one) => [one, { ...one, startsAt: "2026-05-04T07:30:00Z" }]);
        const shuffled = fc.shuffledSubarray(deliveries, { minLength: deliveries.length });
        const split = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
        return fc.record({ alerts: fc.constant(alerts), shuffled, split, together: fc.boolean() });
      });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ alerts, shuffled, split, together }) => {
        await database.forget();
        await receive(body(...alerts));
        const expected = await picture();
        await database.forget();
        const bodies: RawAlert[][] = [];
        for (let at = 0, n = 0; at < shuffled.length; n += 1) {
          const size = split[n % split.length] as number;
          bodies.push(shuffled.slice(at, at + size));
          at += size;
        }
        if (together) await receive(...bodies.map((one) => body(...one)));
        else for (const one of bodies) await receive(body(...one));
        expect(await picture()).toEqual(expected);
      }),
      { seed: SEED, numRuns: 25 },
    );
  });

  it("leaves open exactly what fires by the latest notice, for any interleaving of firing and resolved ones", async () => {
    const scenario = fc
      .array(fc.record({ id: fc.integer({ min: 0, max: 5 }), ends: fc.boolean() }), {
        minLength: 1,
        maxLength: 8,
      })
      .chain((list) => {
        const unique = [...new Map(list.map((one) => [one.id, one])).values()];
        const deliveries = unique.flatMap(({ id, ends }) => {
          const one = fire("HighCPUUsage", { deployment: id % 2 ? "web" : "api", instance: `i${id}` });
          return ends ? [one, end(one), one] : [one];
        });
        return fc.record({
          unique: fc.constant(unique),
          shuffled: fc.shuffledSubarray(deliveries, { minLength: deliveries.length }),
          together: fc.boolean(),
        });
      });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ unique, shuffled, together }) => {
        await database.forget();
        if (together) await receive(...shuffled.map((one) => body(one)));
        else for (const one of shuffled) await receive(body(one));
        const open = await rows<{ name: string }>(
          "select operation_target->>'name' as name from incidents where status = 'investigating' order by 1",
        );
        const latest = new Map(shuffled.map((one) => [one.labels.instance, one.status]));
        const firing = unique
          .filter(({ id }) => latest.get(`i${id}`) === "firing")
          .map(({ id }) => (id % 2 ? "web" : "api"));
        expect(open.map((one) => one.name)).toEqual([...new Set(firing)].sort());
        expect(await dead()).toEqual([]);
      }),
      { seed: SEED, numRuns: 25 },
    );
  });

  it("counts a redelivery once, also from the other half of a pair, and moves last_seen", async () => {
    const alert = fire("HighCPUUsage", DEPLOYMENT);
    const first = await receiveOne(alert);
    expect(first).toMatchObject({ success: true, converged: false, hit_count: 1, approval_created: true });
    clock.forward(60);
    const again = await receiveOne(alert);
    expect(again).toMatchObject({ converged: true, hit_count: 1, incident_id: first.incident_id });
    await receive(body(alert), body(alert), body(alert, alert));
    const incident = await onlyIncident();
    expect(incident.hit_count).toBe(1);
    expect(incident.last_seen.getTime()).toBeGreaterThan(incident.first_seen.getTime());
    expect(await approvals()).toHaveLength(1);
    expect(await topics()).toEqual(["incident.opened"]);
  });

  it("takes a zone's offset and a fraction as the same moment", async () => {
    await receiveOne(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T07:00:00.123456789Z"));
    await receiveOne(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T09:00:00.123+02:00"));
    expect((await onlyIncident()).hit_count).toBe(1);
  });

  it("counts further instances with no new decision and no message", async () => {
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, pod_ip: "1" }));
    await receiveOne(
      fire("HighCPUUsage", { ...DEPLOYMENT, pod_ip: "2" }),
      fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T07:30:00Z"),
    );
    expect((await onlyIncident()).hit_count).toBe(3);
    expect(await rows("select 1 from decisions")).toHaveLength(1);
    expect(await topics()).toEqual(["incident.opened"]);
  });

  it("keeps how often such trouble was there when its incident was opened, which stays as it was", async () => {
    const web = (n: number) => fire("HighCPUUsage", { ...DEPLOYMENT, pod_ip: n });
    await receiveOne(web(1), web(2), fire("HighCPUUsage", { ...DEPLOYMENT, cluster: "other" }));
    await receiveOne(web(3));
    await receiveOne(end(web(1)), end(web(2)), end(web(3)));
    clock.forward(3 * 3_600);
    await receiveOne(web(4));
    await receiveOne(web(5));
    const kept = (await incidents()).flatMap(({ frequency }) => frequency ?? []);
    const often = kept.toSorted((a, b) => a.count_24h - b.count_24h);
    const now = await frequencies(
      deps.as("intake"),
      kept.map((one) => one.anomaly_key),
    );
    const of = (count_1h: number, count_24h: number) => ({
      ...{ count_1h, count_24h, count_7d: count_24h, count_30d: count_24h },
      ...{ auto_repair_count: 0, escalation_level: 1 },
    });
    expect(often).toMatchObject([of(1, 1), of(2, 2), of(1, 4)]);
    expect(often[1]?.anomaly_key).toBe(often[2]?.anomaly_key);
    expect(now(often[1]?.anomaly_key ?? "")).toMatchObject({ count_1h: 2, count_24h: 5 });
  });

  it("costs one incident and one card for each fingerprint of a storm", async () => {
    const storm = Array.from({ length: 5_000 }, (_, n) =>
      fire("HighCPUUsage", { namespace: "prod", deployment: `web-${n % 50}`, replica: n }),
    );
    const answer = await receiveOne(...storm);
    expect(answer.results).toHaveLength(5_000);
    const all = await incidents();
    expect(all).toHaveLength(50);
    expect(all.every((one) => one.hit_count === 100)).toBe(true);
    expect(await approvals()).toHaveLength(50);
    expect(await dead()).toEqual([]);
  });

  it("does not let a body that repeats one alert cost more than a few rounds", async () => {
    let statements = 0;
    const count = () => {
      statements += 1;
    };
    database.dbPool.on("acquire", (client) => {
      const query = client.query.bind(client);
      (client as { query: unknown }).query = (...args: unknown[]) => {
        count();
        return (query as (...all: unknown[]) => unknown)(...args);
      };
    });
    const answer = await receive(body(...Array.from({ length: 2_000 }, () => ({}))));
    database.dbPool.removeAllListeners("acquire");
    expect(answer[0]?.results).toHaveLength(2_000);
    expect((await onlyIncident()).hit_count).toBe(1);
    expect(statements).toBeLessThan(200);
  });

  it("keeps unlike alerts of one workload apart, and like ones of its pods together", async () => {
    await receiveOne(
      fire("OddOne", DEPLOYMENT),
      fire("OtherOne", DEPLOYMENT),
      fire("KubePodCrashLooping", { namespace: "prod", pod: "web-6d4cf56db6-x2x9z" }),
      fire("KubePodNotReady", { namespace: "prod", pod: "web-6d4cf56db6-b7k4c" }),
      fire("KubePodCrashLooping", { namespace: "test", pod: "web-6d4cf56db6-b7k4c" }),
    );
    expect((await incidents()).map((one) => one.hit_count).sort()).toEqual([1, 1, 1, 2]);
  });
});

describe("resolution", () => {
  it("comes with the notice for the last firing alert, judged per alert", async () => {
    const one = fire("HighCPUUsage", { ...DEPLOYMENT, replica: 1 });
    const two = fire("HighCPUUsage", { ...DEPLOYMENT, replica: 2 });
    const three = fire("HighCPUUsage", { ...DEPLOYMENT, replica: 3 });
    await receiveOne(one, two);
    await receiveOne(end(one), three);
    expect((await onlyIncident()).status).toBe("investigating");
    await receiveOne(end(two));
    expect((await onlyIncident()).status).toBe("investigating");
    const answer = await receiveOne(end(three));
    expect(answer).toMatchObject({ success: true, message: "resolved" });
    const incident = await onlyIncident();
    expect(incident).toMatchObject({
      status: "resolved",
      resolved_through: "notice",
      resolution: 1,
      hit_count: 3,
    });
    expect(await topics()).toEqual(["incident.opened", "incident.resolved"]);
    expect(
      await rows("select 1 from dbos.workflow_status where workflow_uuid = $1", [
        `conclude:${incident.incident_id}:1`,
      ]),
    ).toHaveLength(1);
    await receiveOne(end(three), end(one));
    expect((await onlyIncident()).resolution).toBe(1);
  });

  it("opens nothing of its own, and a firing notice after it does", async () => {
    const alert = fire("HighCPUUsage", DEPLOYMENT);
    const answer = await receiveOne(end(alert));
    expect(answer).toMatchObject({ success: true, incident_id: null, approval_created: false });
    expect(await incidents()).toEqual([]);
    await receiveOne(alert);
    expect(await onlyIncident()).toMatchObject({ status: "investigating", hit_count: 1 });
    expect(await rows("select outage, status from alerts order by outage")).toEqual([
      { outage: 0, status: "resolved" },
      { outage: 1, status: "firing" },
    ]);
  });

  it("lets an alert without startsAt and fingerprint fire, resolve, and fire again as another instance", async () => {
    const alert: RawAlert = { status: "firing", labels: { alertname: "HighCPUUsage", ...DEPLOYMENT } };
    await receiveOne(alert);
    await receiveOne(alert);
    expect((await onlyIncident()).hit_count).toBe(1);
    await receiveOne({ ...alert, status: "resolved" });
    expect((await onlyIncident()).status).toBe("resolved");
    await receiveOne({ ...alert, status: "resolved" });
    const back = await receiveOne(alert);
    expect(back.hit_count).toBe(2);
    expect(await onlyIncident()).toMatchObject({ status: "investigating", hit_count: 2 });
  });

  it("takes notices of one instance in one batch one after the other", async () => {
    const alert: RawAlert = { status: "firing", labels: { alertname: "HighCPUUsage", ...DEPLOYMENT } };
    const over = { ...alert, status: "resolved" };
    await receive(body(alert), body(over), body(alert), body(over, alert));
    expect(await onlyIncident()).toMatchObject({ status: "investigating", hit_count: 3, resolution: 2 });
    expect(await dead()).toEqual([]);
  });

  it("lets trouble that is back before the old approval was cleared away have a new one", async () => {
    const alert = fire("HighCPUUsage", DEPLOYMENT);
    await receiveOne(alert);
    await receiveOne(end(alert));
    const back = await receiveOne(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T07:58:00Z"));
    expect(back).toMatchObject({ converged: true, hit_count: 2 });
    expect((await onlyIncident()).status).toBe("investigating");
    expect((await approvals()).map((one) => one.status)).toEqual(["superseded", "preparing"]);
    expect(await dead()).toEqual([]);
  });

  it("sees a new alert through to people although a person resolves at the same moment", async () => {
    const { incident_id } = await receiveOne(fire("HighCPUUsage", DEPLOYMENT));
    const ada = await makePerson(deps.as("intake"), `ada-${SEED}`, "responder");
    let arrived: Promise<unknown> = Promise.resolve();
    await transaction(database.ctx(ada, clock), async (tx) => {
      await resolve(tx, { incident_id: incident_id as string });
      arrived = receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, pod_ip: "2" }));
      const waits = () =>
        rows("select 1 from pg_locks where not granted and locktype in ('transactionid', 'tuple')");
      await Promise.race([arrived, until(async () => (await waits()).length > 0, "the intake to wait")]);
    });
    await arrived;
    expect(await onlyIncident()).toMatchObject({ status: "investigating", hit_count: 2 });
  });
});

describe("trouble that comes back", () => {
  async function repaired() {
    const alert = fire("HighCPUUsage", DEPLOYMENT);
    await receiveOne(alert);
    const { incident_id } = await onlyIncident();
    const ctx = deps.as("pipeline");
    await rows("update approvals set status = 'approved', decided_at = now()");
    await insertRepair(ctx, {
      execution_id: "EXE-1",
      incident_id,
      anomaly_key: "key",
      action: "process.restart",
      success: true,
      verification: "success",
      fix: "restarted",
      duration_ms: 10,
      at: clock.now(),
    });
    await resolve(ctx, { incident_id, through: "repair", execution_id: "EXE-1" });
    await receiveOne(end(alert));
    return incident_id;
  }
  const again = () => receiveOne(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T08:10:00Z"));

  it("reopens the incident within the repair window, and the repair counts as failed", async () => {
    const incident_id = await repaired();
    clock.forward(1_700);
    expect(await again()).toMatchObject({ incident_id, hit_count: 2 });
    expect(await onlyIncident()).toMatchObject({ status: "investigating", resolved_at: null });
    expect(await rows("select success, held from repair_records")).toEqual([{ success: true, held: false }]);
    expect(await topics()).toEqual(["incident.opened", "incident.resolved", "incident.reopened"]);
    expect((await approvals()).map((one) => one.status)).toEqual(["approved", "preparing"]);
  });

  it("is a new incident after the repair window, and the repair held", async () => {
    await repaired();
    clock.forward(1_801);
    await again();
    expect((await incidents()).map((one) => [one.status, one.hit_count])).toEqual([
      ["resolved", 1],
      ["investigating", 1],
    ]);
    expect(await rows("select held from repair_records")).toEqual([{ held: true }]);
  });

  it("continues an incident resolved by notice within the active window only, and blames no repair", async () => {
    const alert = fire("HighCPUUsage", DEPLOYMENT);
    await receiveOne(alert);
    await receiveOne(end(alert));
    clock.forward(290);
    await receiveOne(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T08:04:00Z"));
    expect(await onlyIncident()).toMatchObject({ status: "investigating", hit_count: 2 });
    await receiveOne(end(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T08:04:00Z")));
    clock.forward(301);
    await receiveOne(fire("HighCPUUsage", DEPLOYMENT, "2026-05-04T08:14:00Z"));
    expect(await incidents()).toHaveLength(2);
  });

  it("gives an alert that goes on firing after its incident was resolved a cool-down, then people again", async () => {
    const alert = fire("HighCPUUsage", DEPLOYMENT);
    const { incident_id } = await receiveOne(alert);
    await resolve(deps.as("pipeline"), { incident_id: incident_id as string, through: "repair" });
    clock.forward(1_700);
    expect((await receiveOne(alert)).message).toMatch(
      /^its incident is resolved and this alert has not ended since/,
    );
    expect((await onlyIncident()).status).toBe("resolved");
    clock.forward(100);
    await receiveOne(alert);
    expect(await onlyIncident()).toMatchObject({ status: "investigating", hit_count: 1 });
    expect(await approvals()).toHaveLength(2);
  });

  it("comes back with the severity and services of the alert that brought it", async () => {
    await repaired();
    await receiveOne(
      fire("HighCPUUsage", { ...DEPLOYMENT, severity: "critical", job: "checkout" }, "2026-05-04T08:10:00Z"),
    );
    const incident = await onlyIncident();
    expect(incident).toMatchObject({ status: "investigating", severity: "P0" });
    expect(incident.affected_services).toContain("checkout");
  });
});

describe("severity", () => {
  it("is that of the worst alert, rises with a worse one, which is told, and never falls", async () => {
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, severity: "info" }));
    const [first] = await incidents();
    expect(first?.severity).toBe("P3");
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, severity: "critical" }));
    expect((await onlyIncident()).severity).toBe("P0");
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, severity: "low" }));
    expect((await onlyIncident()).severity).toBe("P0");
    expect((await topics()).filter((topic) => topic === "incident.raised")).toHaveLength(1);
  });

  it("follows from the risk of what is proposed where no alert carries one", async () => {
    // Of three workloads: of one they would be one trouble, with the severity of the worst.
    for (const [alertname, deployment] of [
      ["HighErrorRate", "web"],
      ["HighLatency", "api"],
      ["WebCrash", "mail"],
    ] as const)
      await receiveOne({ labels: { alertname, ...DEPLOYMENT, deployment }, startsAt: START });
    expect((await incidents()).map((one) => one.severity)).toEqual(["P0", "P3", "P2"]);
  });

  it("decides again when it rises and nothing is before people", async () => {
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, replica: 1 }));
    await rows("update approvals set status = 'rejected'");
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, replica: 2, severity: "critical" }));
    expect((await approvals()).map((one) => one.status)).toEqual(["rejected", "preparing"]);
  });

  it("does not ask for a second approval while a signed one waits to be carried out", async () => {
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, replica: 1 }));
    await rows("update approvals set status = 'approved', authority_until = $1", [
      new Date(clock.now().getTime() + 600_000),
    ]);
    await receiveOne(fire("HighCPUUsage", { ...DEPLOYMENT, replica: 2, severity: "critical" }));
    expect((await approvals()).map((one) => one.status)).toEqual(["approved"]);
  });
});

describe("what needs no approval", () => {
  it("records a heartbeat and makes no incident, with whatever severity it comes", async () => {
    await receiveOne(
      fire("Watchdog", { severity: "none" }),
      fire("Heartbeat"),
      fire("DeadMansSwitch", { severity: "critical" }),
    );
    expect(await incidents()).toEqual([]);
    expect(await rows("select 1 from alerts")).toHaveLength(3);
  });

  it("makes an incident of information, about which nothing is decided", async () => {
    // A rule that is asked is an error here, also where the severity would follow from what it proposes.
    deps = { ...deps, decide: { ...deps.decide, rules: [] } };
    const answer = await receiveOne(fire("KubePodCrashLooping", { ...DEPLOYMENT, severity: "info" }));
    expect(answer).toMatchObject({
      message: "recorded",
      approval_created: false,
      approval_id: null,
      suggested_action: null,
      risk_level: null,
    });
    expect(await onlyIncident()).toMatchObject({
      notification_type: "TYPE-1",
      alert_category: "info",
      severity: "P3",
    });
    await receiveOne(fire("BackupRestoreTestFailed", { severity: "" }));
    expect(await rows("select severity from incidents where alert_category = 'backup'")).toEqual([
      { severity: "P3" },
    ]);
    expect(await approvals()).toEqual([]);
    expect(await rows("select 1 from decisions")).toEqual([]);
    expect(await rows("select 1 from timeline where kind = 'decision'")).toEqual([]);
  });

  it("ends information with its alerts, as any other incident", async () => {
    const alert = fire("KubePodCrashLooping", { ...DEPLOYMENT, severity: "info" });
    await receiveOne(alert);
    await receiveOne(end(alert));
    expect(await onlyIncident()).toMatchObject({ status: "resolved" });
  });

  it.each(["warning", "low"])("decides about information once it is trouble: %s", async (severity) => {
    const information = fire("KubePodCrashLooping", { ...DEPLOYMENT, severity: "info" });
    const trouble = fire("KubePodCrashLooping", { ...DEPLOYMENT, severity }, "2026-05-04T07:05:00Z");
    await receiveOne(information);
    await receiveOne(trouble);
    expect(await onlyIncident()).toMatchObject({ notification_type: "TYPE-3", alert_category: "kubernetes" });
    expect(await approvals()).toHaveLength(1);
    await database.forget();
    // In one body, in either order, they are trouble from the beginning.
    await receive(body(information, trouble));
    expect(await onlyIncident()).toMatchObject({ notification_type: "TYPE-3", alert_category: "kubernetes" });
    expect(await approvals()).toHaveLength(1);
  });

  it("never asks for approval of a change for a security alert", async () => {
    await receiveOne(fire("PodAbnormalCrash", DEPLOYMENT));
    expect(await onlyIncident()).toMatchObject({ alert_category: "secops", notification_type: "TYPE-5S" });
    expect(await approvals()).toEqual([]);
  });
});

describe("bodies that cannot be understood", () => {
  const GARBAGE = [
    null,
    42,
    "text",
    [],
    {},
    { alerts: {} },
    { alerts: null },
    { alerts: "all" },
    { alert: [] },
    { version: "4" },
    [{ status: "firing" }],
  ];

  it("become dead letters, and their neighbours in the batch count", async () => {
    const answers = await receive(...GARBAGE, body(fire("HighCPUUsage", DEPLOYMENT)), undefined);
    expect(await dead()).toHaveLength(GARBAGE.length + 1);
    expect((await dead()).every((one) => one.error.length > 0)).toBe(true);
    expect(await onlyIncident()).toMatchObject({ hit_count: 1 });
    expect(answers).toHaveLength(GARBAGE.length + 2);
    expect(answers.at(-2)).toMatchObject({ success: true, hit_count: 1 });
    expect(answers[0]?.message).toContain("dead letter");
  });

  it("keep their good alerts when only some entries are bad", async () => {
    await receive(body("x", fire("HighCPUUsage", DEPLOYMENT), null, 7));
    expect(await onlyIncident()).toMatchObject({ hit_count: 1 });
    const [letter] = await dead();
    expect(letter?.error).toContain("alerts[0]");
    expect(letter?.error).toContain("alerts[3]");
  });

  it("of a source that is not there are dead letters too", async () => {
    const ctx = deps.as("intake");
    const row = { source: "nobody", sender: "x", body: Buffer.from("{}"), received_at: clock.now() };
    const [seq] = await insertReceipts(ctx, [row]);
    await processReceipts(ctx, deps, [{ receipt: { ...row, seq: seq as number }, body: {} }]);
    expect(await dead()).toHaveLength(1);
  });

  it("may hold what PostgreSQL and our own code do not like", async () => {
    const nested = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    const odd: RawAlert[] = [
      fire("N\0UL", { deployment: "a\0b", "k\0ey": "x", replica: 1 }),
      fire("Lone\ud800", { deployment: "\udfff", replica: 2 }),
      fire(`Emoji${"x".repeat(289)}\u{1f600}`, { deployment: "cut", replica: 3 }),
      fire("Big", { deployment: "y".repeat(1024 * 1024), replica: 4 }),
      fire("constructor", { severity: "__proto__", deployment: "toString", replica: 5 }),
      fire("__proto__", { severity: "toString", deployment: "valueOf", replica: 6 }),
      fire("Types", { deployment: 5, number: 1e300, flag: true, list: [1], none: null, replica: 7 }),
      fire("'; drop table incidents; --", { deployment: "$(rm -rf /)", namespace: "`id`", replica: 8 }),
      fire("Years", { deployment: "far", replica: 9 }, "+275760-09-13T00:00:00Z"),
      fire("Never", { deployment: "zero", replica: 10 }, "0001-01-01T00:00:00Z"),
      // These two have no name and no target: they are one trouble.
      fire("", { deployment: "", replica: 11 }),
      { labels: { replica: 12 } },
    ];
    await receive(body(...odd));
    expect(await dead()).toEqual([]);
    expect(await incidents()).toHaveLength(odd.length - 1);
    await receive(body(fire("Deep", { deployment: nested })), body(fire("Plain", DEPLOYMENT)));
    expect((await incidents()).some((one) => one.title.startsWith("Plain"))).toBe(true);
    const severities = await rows(
      "select distinct severity from alerts where alert_name in ('constructor', '__proto__')",
    );
    expect(severities).toEqual([{ severity: "P2" }]);
  });
});

describe("many at once", () => {
  it("makes one incident of each fingerprint and loses nothing", async () => {
    const alerts = Array.from({ length: 40 }, (_, n) =>
      fire("HighCPUUsage", { namespace: "prod", deployment: `web-${n % 8}`, replica: n }),
    );
    const shuffledBy = (by: number) =>
      alerts.map((_, n) => alerts[(n * by + by) % alerts.length] as RawAlert);
    await Promise.all([1, 3, 7, 9, 11, 13, 17, 39].map((by) => receive(body(...shuffledBy(by)))));
    const all = await incidents();
    expect(all).toHaveLength(8);
    expect(all.map((one) => one.hit_count)).toEqual(Array(8).fill(5));
    expect(await approvals()).toHaveLength(8);
    expect(await rows("select 1 from receipts where state <> 'processed'")).toEqual([]);
    expect(await rows("select deliveries from alerts where deliveries <> 8")).toEqual([]);
  });

  it("takes each receipt once, however often it is handed over", async () => {
    const ctx = deps.as("intake");
    const row = { source: "alertmanager", sender: "x", body: Buffer.from("{}"), received_at: clock.now() };
    const seqs = await insertReceipts(ctx, [row, row]);
    const deliveries = seqs.map((seq, n) => ({
      receipt: { ...row, seq },
      body: body({ status: "firing", labels: { alertname: "A", n } }),
    }));
    const answers = await Promise.all([1, 2, 3, 4].map(() => processReceipts(ctx, deps, deliveries)));
    expect(answers.map((one) => one.size).sort()).toEqual([0, 0, 0, 2]);
    expect(await rows("select deliveries from alerts")).toEqual([{ deliveries: 1 }, { deliveries: 1 }]);
  });
});

describe("its story", () => {
  it("is on the timeline and in the ledger, which holds together", async () => {
    const { incident_id } = await receiveOne(fire("HighCPUUsage", DEPLOYMENT));
    const ada = await makePerson(deps.as("intake"), `bob-${SEED}`, "viewer");
    const story = await timelineOf(database.ctx(ada, clock), incident_id as string);
    expect(story.map((event) => event.kind)).toEqual(["alert", "decision"]);
    expect((await getIncident(database.ctx(ada, clock), incident_id as string)).fingerprint).toHaveLength(32);
    const [asked] = await rows<{ data: Record<string, Record<string, unknown>> }>(
      "select data from audit_entries where action = 'approval.requested' order by seq desc limit 1",
    );
    expect(asked?.data.plan?.required_signatures).toBe(1);
    expect(await verifyChain(deps.as("intake"))).toMatchObject({ broken_at: null });
  });
});
