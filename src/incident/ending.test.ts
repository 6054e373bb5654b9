import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alertmanagerBody } from "../../test/support/alerts.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, type Person, setClock, testPipelineDeps } from "../../test/support/pipeline-deps.ts";
import type { WebhookAnswer } from "../contract/webhook.ts";
import { waitingReceipts } from "../intake/index.ts";
import { insertReceipts } from "../intake/store.ts";
import { insertRepair } from "../learning/store.ts";
import { processReceipts, sweep } from "../pipeline/index.ts";
import { assign, close, getIncident, giveFeedback, reopen, resolve } from "./index.ts";

const clock = setClock();
let database: TestDatabase;
let ada: Person;
let viewer: Person;

beforeAll(async () => {
  database = await createDatabase();
  ada = await makePerson(database.ctx(), "ada", "responder");
  viewer = await makePerson(database.ctx(), "vera", "viewer");
});
afterAll(() => database.drop());

const as = (actor: Parameters<TestDatabase["ctx"]>[0]) => database.ctx(actor, clock);
const pipeline = () => as({ kind: "system", name: "pipeline" });
const incidentOf = (incident_id: string) => getIncident(pipeline(), incident_id);

async function send(name: string, status: "firing" | "resolved", startsAt: string): Promise<string> {
  const body = alertmanagerBody([{ labels: { alertname: name, component: name }, status, startsAt }]);
  const receipt = { source: "alertmanager", sender: "test", body: Buffer.from(""), received_at: clock.now() };
  const [seq = 0] = await insertReceipts(database.ctx(), [receipt]);
  const answers = await processReceipts(
    as({ kind: "system", name: "intake" }),
    testPipelineDeps(database, clock),
    [{ receipt: { ...receipt, seq }, body }],
  );
  return (answers.get(seq) as WebhookAnswer).incident_id as string;
}
const now = () => clock.now().toISOString();

describe("an incident that is over", () => {
  it("is closed by people or by time, once, and not while it is active", async () => {
    const incident_id = await send("closing", "firing", now());
    await expect(close(as(ada), { incident_id })).rejects.toMatchObject({ code: "conflict" });
    await resolve(as(ada), { incident_id });
    await expect(close(as(viewer), { incident_id })).rejects.toMatchObject({ code: "forbidden" });
    const closed = await close(as(ada), { incident_id });
    expect(closed).toMatchObject({ status: "closed", closed_at: clock.now() });
    clock.forward(60);
    expect(await close(as(ada), { incident_id })).toMatchObject({ closed_at: closed.closed_at });
  });

  it("is a new one when an alert is heard of that went on firing until it was closed", async () => {
    const startsAt = now();
    const incident_id = await send("lasting", "firing", startsAt);
    await resolve(as(ada), { incident_id });
    await close(as(ada), { incident_id });
    clock.forward(60);
    const next = await send("lasting", "firing", startsAt);
    expect(next).not.toBe(incident_id);
    expect(await incidentOf(next)).toMatchObject({ status: "investigating" });
  });

  it("is reopened by a person, also when it was closed, and does not end by itself then", async () => {
    const startsAt = now();
    const incident_id = await send("doubted", "firing", startsAt);
    await send("doubted", "resolved", startsAt);
    await close(as(ada), { incident_id });
    await expect(reopen(as(viewer), { incident_id })).rejects.toMatchObject({ code: "forbidden" });
    await reopen(as(ada), { incident_id, comment: "it is slow" });
    clock.forward(3_600);
    await sweep(testPipelineDeps(database, clock));
    expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating", closed_at: null });
    const told = await database.pool.query("select topic from outbox where incident_id = $1 order by seq", [
      incident_id,
    ]);
    expect(told.rows.map(({ topic }) => topic).slice(-2)).toEqual(["incident.reopened", "incident.reminder"]);
    await resolve(as(ada), { incident_id });
    expect(await incidentOf(incident_id)).toMatchObject({ status: "resolved", resolution: 2 });
  });

  it("is not reopened beside another that is open for the same trouble", async () => {
    const incident_id = await send("twice", "firing", now());
    await resolve(as(ada), { incident_id });
    await close(as(ada), { incident_id });
    clock.forward(60);
    const other = await send("twice", "firing", now());
    await expect(reopen(as(ada), { incident_id })).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(other),
    });
  });

  it("has an owner and what people say of it, later words beside and over earlier ones", async () => {
    const incident_id = await send("judged", "firing", now());
    expect(await assign(as(ada), { incident_id, owner: "web team" })).toMatchObject({ owner: "web team" });
    expect(await assign(as(ada), { incident_id, owner: null })).toMatchObject({ owner: null });
    // What is said while it goes on is kept, and stands when it ends.
    const going = await giveFeedback(as(ada), { incident_id, effectiveness_score: 2, should_remember: true });
    expect(going).toMatchObject({ status: "investigating", resolved_at: null });
    await resolve(as(ada), { incident_id });
    await giveFeedback(as(ada), { incident_id, effectiveness_score: 3, human_feedback: "slow" });
    const judged = await giveFeedback(as(ada), { incident_id, effectiveness_score: 5 });
    expect(judged.feedback).toEqual({
      effectiveness_score: 5,
      human_feedback: "slow",
      should_remember: true,
    });
  });
});

describe("trouble that comes back", () => {
  async function again(name: string, wait: number): Promise<string> {
    clock.forward(wait);
    const startsAt = now();
    const incident_id = await send(name, "firing", startsAt);
    clock.forward(60);
    await send(name, "resolved", startsAt);
    return incident_id;
  }

  it("is one tier up with the third time in a day, the tenth in a week and the twentieth in a month", async () => {
    const tiers: number[] = [];
    // Far enough apart to be an incident each; the week and the month are reached before the counts pass.
    for (let time = 1; time <= 21; time += 1) {
      const incident_id = await again("flapping", 4 * 3_600);
      tiers.push((await incidentOf(incident_id)).escalation_level);
    }
    expect(tiers).toEqual([1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4]);
    const own = await waitingReceipts(as(undefined), Number.MAX_SAFE_INTEGER, 10);
    const bodies = own.map(({ body }) => JSON.parse(body.toString()) as { alerts: { labels: object }[] });
    expect(bodies.map(({ alerts }) => alerts[0]?.labels)).toMatchObject([
      { alertname: "PermanentFixRequired", component: "flapping" },
    ]);
    const deps = testPipelineDeps(database, clock);
    const deliveries = own.map((receipt, index) => ({ receipt, body: bodies[index] }));
    const answers = await processReceipts(deps.as("intake"), deps, deliveries);
    const raised = await incidentOf([...answers.values()][0]?.incident_id as string);
    expect(raised).toMatchObject({
      alert_category: "flywheel_health",
      notification_type: "TYPE-8M",
      severity: "P1",
    });
  });

  it("counts against a repair after which its alert never stopped firing", async () => {
    const startsAt = now();
    const incident_id = await send("unhealed", "firing", startsAt);
    const { fingerprint } = await incidentOf(incident_id);
    const repair = {
      execution_id: "EXE-1",
      incident_id,
      anomaly_key: fingerprint,
      action: "process.restart",
    };
    const result = {
      success: true,
      verification: "success",
      fix: "restarted",
      duration_ms: 1,
      at: clock.now(),
    };
    await insertRepair(as(undefined), { ...repair, ...result });
    await resolve(pipeline(), { incident_id, through: "repair", execution_id: "EXE-1" });
    const held = async () =>
      (await database.pool.query("select held from repair_records where incident_id = $1", [incident_id]))
        .rows;
    clock.forward(1_799);
    await send("unhealed", "firing", startsAt);
    expect(await held()).toEqual([{ held: true }]);
    clock.forward(1);
    expect(await send("unhealed", "firing", startsAt)).toBe(incident_id);
    expect(await incidentOf(incident_id)).toMatchObject({ status: "investigating" });
    expect(await held()).toEqual([{ held: false }]);
  });
});
