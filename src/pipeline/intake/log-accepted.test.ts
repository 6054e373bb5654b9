import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  makePerson,
  type Person,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import type { OperationLogEntry, OperationLogQuery } from "../../contract/operation-log.ts";
import { latestDecisions, type Mode } from "../../decision/index.ts";
import { operationLog } from "../../incident/index.ts";
import { loadClassification, type Receipt } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { parseMatchers } from "../../lib/matchers.ts";
import { silence } from "../../silence/index.ts";
import { beginHeldOutages } from "../sweep/begin-held.ts";
import type { PipelineDeps } from "../types.ts";
import { reevaluateSilences } from "./evaluate-silences.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;
let ada: Person;

beforeAll(async () => {
  database = await createDatabase();
  ada = await makePerson(database.ctx(), "ada", "responder");
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = setClock();
  deps = {
    ...testPipelineDeps(database, clock),
    classification: loadClassification([], undefined, ["Deploy"]),
  };
  await database.forget();
  await beginHeldOutages(deps);
});

type Raw = { status?: string; labels: Record<string, string>; startsAt?: string; endsAt?: string };
const fire = (alertname: string, labels: Record<string, string> = {}): Raw => ({
  status: "firing",
  labels: { alertname, severity: "warning", ...labels },
  startsAt: "2026-05-04T07:00:00Z",
});
const end = (alert: Raw): Raw => ({ ...alert, status: "resolved", endsAt: clock.now().toISOString() });

/** Has each of these calls understood, all in one transaction; returns their receipts. */
async function calls(...bodies: (readonly Raw[])[]): Promise<number[]> {
  const ctx = deps.as("intake");
  const rows = bodies.map((_, n) => ({
    source: "alertmanager",
    sender: `127.0.0.${n + 1}`,
    body: Buffer.from("parsed already"),
    received_at: clock.now(),
  }));
  const seqs = await insertReceipts(ctx, rows);
  const deliveries = rows.map((row, n) => ({
    receipt: { ...row, seq: seqs[n] as number } as Receipt,
    body: { version: "4", status: "firing", alerts: bodies[n] },
  }));
  await processReceipts(ctx, deps, deliveries);
  clock.forward(1);
  return seqs;
}
const call = async (...alerts: Raw[]) => (await calls(alerts))[0] as number;

async function log(query: Partial<OperationLogQuery> = {}): Promise<OperationLogEntry[]> {
  const entries: OperationLogEntry[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await operationLog(database.ctx(ada, clock), { limit: 3, ...query, cursor });
    entries.push(...page.items);
    if (page.next_cursor === null) return entries.reverse();
    cursor = page.next_cursor;
  }
}
const received = async (query: Partial<OperationLogQuery> = {}) =>
  (await log({ event: "ALERT_RECEIVED", ...query })).map(
    ({ data, incident_id }): Record<string, unknown> => ({ ...data, incident_id }),
  );
const incidentIds = async () =>
  (await database.pool.query("select incident_id from incidents order by created_at, title")).rows.map(
    (row) => row.incident_id as string,
  );

describe("ALERT_RECEIVED", () => {
  it("is logged for every instance with its labels, its receipt and what came of it, however often it is told", async () => {
    await silence(database.ctx(ada, clock), {
      matchers: parseMatchers('alertname="Quiet"'),
      duration: 3_600,
      comment: "known",
    });
    const api = (pod: string) => fire("HighCPUUsage", { deployment: "api", pod });
    const one = await call(
      api("api-1"),
      api("api-2"),
      fire("Quiet", { auto_repair: "TRUE" }),
      fire("Watchdog", { severity: "none" }),
      fire("Deploy", { auto_repair: "False" }),
      end(fire("Late")),
    );
    const two = await call(api("api-1"), api("api-3"), end(api("api-2")));
    const three = await call(api("api-1"));
    const [id] = await incidentIds();
    const about = (alert_name: string, outcome: string, incident_id: string | null, receipt: number) =>
      expect.objectContaining({ alert_name, outcome, incident_id, receipt, alerts: 1 });
    const all = await received();
    expect(all).toEqual([
      about("HighCPUUsage", "opened", id!, one),
      about("HighCPUUsage", "converged", id!, one),
      about("Quiet", "silenced", null, one),
      about("Watchdog", "heartbeat", null, one),
      about("Deploy", "progress", null, one),
      about("Late", "over", null, one),
      about("HighCPUUsage", "converged", id!, two),
      expect.objectContaining({ outcome: "known", incident_id: id, receipt: two, alerts: 2 }),
      about("HighCPUUsage", "known", id!, three),
    ]);
    expect(all.map((entry) => entry.auto_repair)).toEqual([
      ...[true, true, true, true, false, true],
      ...[true, true, true],
    ]);
    expect(all[1]).toMatchObject({ labels: { alertname: "HighCPUUsage", pod: "api-2", deployment: "api" } });
    expect((await received({ incident_id: id })).map((entry) => entry.incident_id)).toEqual(
      Array(5).fill(id),
    );
    // Alerts and what was done about them are one listing, page by page, newest first.
    const whole = await log();
    expect(whole).toEqual(await log({ limit: 200 }));
    expect(new Set(whole.map((entry) => entry.seq)).size).toBe(whole.length);
  });

  it("tells an instance from its duplicate also where both come at once, and counts a resolved one as known", async () => {
    const alert = fire("HighCPUUsage", { deployment: "api" });
    const [one, two] = await calls([alert], [alert]);
    const three = await call(end(alert));
    expect((await received()).map(({ receipt, outcome }) => [receipt, outcome])).toEqual([
      [one, "opened"],
      [two, "known"],
      [three, "known"],
    ]);
    expect((await log()).find((entry) => entry.data.receipt === three)?.text).toBe(
      "HighCPUUsage repeated: 1 resolved",
    );
  });

  it("is logged again, without a receipt, for what was silent or held once it comes up", async () => {
    await silence(database.ctx(ada, clock), {
      matchers: parseMatchers('alertname="Quiet"'),
      duration: 60,
      comment: "known",
    });
    const held = fire("HighCPUUsage", { deployment: "api" });
    await call(fire("Quiet"), held);
    await call(end(held));
    // Another of the pair, to which it still fires.
    await calls([], [held]);
    for (let passed = 0; passed < 600; passed += 30) {
      clock.forward(30);
      await beginHeldOutages(deps);
    }
    await reevaluateSilences(deps);
    const risen = (await received()).filter((entry) => entry.receipt === null);
    expect(risen.map((entry) => [entry.alert_name, entry.incident_id])).toEqual([
      ["HighCPUUsage", expect.stringMatching(/^INC-/)],
      ["Quiet", expect.stringMatching(/^INC-/)],
    ]);
    expect((await received()).map((entry) => entry.outcome)).toContain("held");
  });

  it("keeps little of labels that are large, and always whether it may be repaired", async () => {
    // Large ones first, then as small as it is itself.
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, n) => [`a${n}`, "x".repeat(n < 100 ? 1_000 : 9)]),
    );
    await call(fire("Big", { ...many, auto_repair: "never" }));
    const { rows } = await database.pool.query(
      "select length(labels::text) as size, labels->>'auto_repair' as label from alert_log",
    );
    expect(rows).toEqual([{ size: expect.any(Number), label: "never" }]);
    expect(rows[0].size).toBeLessThan(6_000);
    expect(await received()).toMatchObject([{ auto_repair: false }]);
  });
});

describe.each<Mode>(["suggest", "shadow", "auto"])("the label auto_repair, in the mode %s,", (mode) => {
  const blocked = async () => log({ event: "GUARDRAIL_BLOCKED" });

  it("is recorded on decision, story and ledger where it forbids, once", async () => {
    deps.decide = { ...deps.decide, mode };
    const shop = (pod: string) => fire("ShopDown", { deployment: "shop", pod, auto_repair: "False" });
    await call(shop("shop-1"), shop("shop-2"));
    await call(shop("shop-3"));
    const [incident_id = ""] = await incidentIds();
    const reason = 'an alert has the label auto_repair="False"';
    const blocked_by = [{ guardrail: "auto_repair_label", reason }];
    const entries = await blocked();
    expect(entries).toMatchObject([{ incident_id, data: { blocked_by } }]);
    const ctx = database.ctx(ada, clock);
    const decision = (await latestDecisions(ctx, [incident_id])).get(incident_id);
    expect(decision?.policy).toMatchObject({ blocked_by });
    const audit = await database.pool.query(
      "select data from audit_entries where action = 'decision.blocked' and subject = $1",
      [decision?.token],
    );
    expect(audit.rows).toEqual([{ data: { incident_id, blocked_by } }]);
  });

  it("is recorded where the first alert has it, and not where it allows", async () => {
    deps.decide = { ...deps.decide, mode };
    await call(
      fire("ShopDown", { deployment: "shop", auto_repair: "" }),
      fire("ShopDown", { deployment: "cart", auto_repair: "TRUE" }),
      fire("ShopDown", { deployment: "till" }),
    );
    expect(await blocked()).toMatchObject([
      { data: { blocked_by: [{ reason: 'an alert has the label auto_repair=""' }] } },
    ]);
  });
});
