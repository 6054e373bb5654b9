import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { alertmanagerBody } from "../../test/support/alerts.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, type Person, setClock, testPipelineDeps } from "../../test/support/pipeline-deps.ts";
import { insertReceipts } from "../intake/store.ts";
import { processReceipts } from "../pipeline/intake/process-receipts.ts";
import { acknowledge, comment, resolve, timelineOf } from "./index.ts";

const clock = setClock();
let database: TestDatabase;
let people: Record<"viewer" | "responder" | "approver", Person>;
let count = 0;

beforeAll(async () => {
  database = await createDatabase();
  const make = (role: "viewer" | "responder" | "approver") => makePerson(database.ctx(), `a-${role}`, role);
  people = {
    viewer: await make("viewer"),
    responder: await make("responder"),
    approver: await make("approver"),
  };
});
afterAll(() => database.drop());

const as = (actor: Parameters<TestDatabase["ctx"]>[0]) => database.ctx(actor, clock);

async function opened(): Promise<string> {
  count += 1;
  const body = alertmanagerBody([{ labels: { alertname: `Trouble${count}`, service: `s${count}` } }]);
  const receipt = { source: "alertmanager", sender: "test", body: Buffer.from(""), received_at: clock.now() };
  const [seq = 0] = await insertReceipts(database.ctx(), [receipt]);
  const ctx = as({ kind: "system", name: "intake" });
  const answers = await processReceipts(ctx, testPipelineDeps(database, clock), [
    { receipt: { ...receipt, seq }, body },
  ]);
  return answers.get(seq)?.incident_id as string;
}

const story = async (incident_id: string) =>
  (await timelineOf(as(people.viewer), incident_id)).map((event) => `${event.actor}: ${event.text}`);
const audited = async (subject: string) =>
  (
    await database.pool.query("select action from audit_entries where subject = $1 order by seq", [subject])
  ).rows.map((row) => row.action);
const concluding = async (incident_id: string) =>
  (
    await database.pool.query("select 1 from dbos.workflow_status where workflow_uuid like $1", [
      `conclude:${incident_id}:%`,
    ])
  ).rowCount;

describe("what people do with an incident", () => {
  it("is acknowledged once: the first who does owns it", async () => {
    const incident_id = await opened();
    const first = await acknowledge(as(people.responder), { incident_id });
    clock.forward(60);
    const second = await acknowledge(as(people.approver), { incident_id });
    expect(first).toMatchObject({ owner: "a-responder", acknowledged_at: expect.any(Date) });
    expect(second).toMatchObject({ owner: "a-responder", acknowledged_at: first.acknowledged_at });
    expect((await audited(incident_id)).filter((action) => action === "incident.acknowledged")).toHaveLength(
      1,
    );
  });

  it("is resolved once, whoever says it again, and its conclusion is drawn once", async () => {
    const incident_id = await opened();
    const answers = await Promise.all(
      [people.responder, people.approver, people.responder].map((one) =>
        resolve(as(one), { incident_id, comment: "fixed" }),
      ),
    );
    expect(answers.map((incident) => incident.status)).toEqual(["resolved", "resolved", "resolved"]);
    expect(new Set(answers.map((incident) => incident.resolved_at?.getTime())).size).toBe(1);
    expect(await concluding(incident_id)).toBe(1);
    expect(
      (await story(incident_id)).filter((text) => text.includes("Resolved by hand: fixed")),
    ).toHaveLength(1);
    await expect(acknowledge(as(people.responder), { incident_id })).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("is commented on in any state, in the person's own words", async () => {
    const incident_id = await opened();
    await comment(as(people.responder), { incident_id, text: "正在查 <b>disk</b>" });
    await resolve(as(people.responder), { incident_id });
    await comment(as(people.approver), { incident_id, text: "it was the disk" });
    expect(await story(incident_id)).toEqual(
      expect.arrayContaining(["a-responder: 正在查 <b>disk</b>", "a-approver: it was the disk"]),
    );
    expect((await audited(incident_id)).filter((action) => action === "incident.commented")).toHaveLength(2);
  });

  it("is for responders and above; a sender may say that someone is on it, and no more", async () => {
    const incident_id = await opened();
    await expect(acknowledge(as(people.viewer), { incident_id })).rejects.toMatchObject({
      code: "forbidden",
    });
    for (const actor of [people.viewer, { kind: "sender", name: "x" } as const]) {
      const ctx = as(actor);
      await expect(comment(ctx, { incident_id, text: "x" })).rejects.toMatchObject({ code: "forbidden" });
      await expect(resolve(ctx, { incident_id })).rejects.toMatchObject({ code: "forbidden" });
    }
    expect(await audited(incident_id)).toEqual(["incident.opened"]);
    const told = await acknowledge(as({ kind: "sender", name: "x" }), { incident_id });
    expect(told.owner).toBeNull();
  });

  it("needs an incident that is there", async () => {
    const incident_id = "INC-20260101-AAAAAA";
    const ctx = as(people.approver);
    await expect(acknowledge(ctx, { incident_id })).rejects.toMatchObject({ code: "not_found" });
    await expect(comment(ctx, { incident_id, text: "x" })).rejects.toMatchObject({ code: "not_found" });
    await expect(resolve(ctx, { incident_id })).rejects.toMatchObject({ code: "not_found" });
  });
});
