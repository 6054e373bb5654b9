import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createDatabase, type TestDatabase } from "../../../test/support/database.ts";
import {
  makePerson,
  type Person,
  type SetClock,
  setClock,
  testPipelineDeps,
} from "../../../test/support/pipeline-deps.ts";
import { getIncident } from "../../incident/index.ts";
import type { Receipt } from "../../intake/index.ts";
import { insertReceipts } from "../../intake/store.ts";
import { parseMatchers } from "../../lib/matchers.ts";
import { deliverNotices } from "../../notification/index.ts";
import {
  createMuting,
  endSilence,
  inhibitRule,
  listAlerts,
  maintenanceWindow,
  silence,
  silenceIncident,
  silencesOfIncidents,
  updateSilence,
} from "../../silence/index.ts";
import { dueIncidents } from "../sweep/store.ts";
import type { PipelineDeps } from "../types.ts";
import { reevaluateSilences } from "./evaluate-silences.ts";
import { processReceipts } from "./process-receipts.ts";

let database: TestDatabase;
let clock: SetClock;
let deps: PipelineDeps;
let ada: Person;
let counted: string[];

beforeAll(async () => {
  database = await createDatabase();
  ada = await makePerson(database.ctx(), "ada", "responder");
});
afterAll(() => database.drop());
beforeEach(async () => {
  clock = setClock();
  counted = [];
  deps = withTerms({});
  await database.forget();
});

const withTerms = ({
  maintenance = [],
  rules = [],
}: {
  maintenance?: unknown[];
  rules?: unknown[];
}): PipelineDeps => ({
  ...testPipelineDeps(database, clock),
  muting: createMuting({
    windows: maintenance.map((one) => maintenanceWindow.parse(one)),
    rules: rules.map((one) => inhibitRule.parse(one)),
    ttl: 604_800,
  }),
  onSilenced: (by) => counted.push(...by),
});
const asAda = () => database.ctx(ada, clock);
const alert = (
  alertname: string,
  labels: Record<string, string> = {},
  status = "firing",
  startsAt = "2026-05-04T07:00:00Z",
) => ({
  status,
  labels: { alertname, severity: "warning", ...labels },
  startsAt,
  endsAt: status === "resolved" ? "2026-05-04T08:30:00Z" : "0001-01-01T00:00:00Z",
});

async function receive(...alerts: object[]) {
  const ctx = deps.as("intake");
  const row = {
    source: "alertmanager",
    sender: "127.0.0.1",
    body: Buffer.from("parsed already"),
    received_at: clock.now(),
  };
  const [seq = 0] = await insertReceipts(ctx, [row]);
  const body = { version: "4", status: "firing", alerts };
  const answers = await processReceipts(ctx, deps, [{ receipt: { ...row, seq } as Receipt, body }]);
  clock.forward(1);
  return answers.get(seq)?.results ?? [];
}
const quiet = (text: string, seconds = 3_600) =>
  silence(asAda(), {
    matchers: parseMatchers(text),
    duration: seconds,
    comment: "the disk is being changed",
  });
const incidents = async () =>
  (
    await database.pool.query(
      "select incident_id, title, status, hit_count from incidents order by created_at, incident_id",
    )
  ).rows;
const outbox = async () =>
  (await database.pool.query("select topic from outbox order by seq")).rows.map((row) => row.topic);
const alerts = async () =>
  (await listAlerts(asAda(), { limit: 200 })).items.map(
    ({ alert_name, status, silenced_by, deliveries }) => ({ alert_name, status, silenced_by, deliveries }),
  );

test("a silenced alert is recorded and counted, makes nothing, and comes up once when its silence has ended", async () => {
  const { silence_id } = await quiet('alertname=~"Disk.*",severity!="critical"');
  const [answer] = await receive(
    alert("DiskFull"),
    alert("DiskFull", { severity: "critical", node: "b" }),
    alert("Other", { node: "c" }),
  );
  expect(answer).toMatchObject({ success: true, incident_id: null, message: `silenced by ${silence_id}` });
  await receive(alert("DiskFull"));
  expect((await incidents()).map((one) => one.title)).toEqual(
    expect.arrayContaining([expect.stringContaining("Other"), expect.stringContaining("DiskFull")]),
  );
  expect(await incidents()).toHaveLength(2);
  expect(counted).toEqual(["silence"]);
  const mine = {
    alert_name: "DiskFull",
    status: "firing",
    silenced_by: [{ by: "silence", id: silence_id }],
    deliveries: 2,
  };
  expect((await alerts()).filter((one) => one.silenced_by !== null)).toEqual([mine]);

  // While it lasts nothing changes, however often it is looked at.
  await reevaluateSilences(deps);
  await reevaluateSilences(deps);
  expect(await incidents()).toHaveLength(2);
  await endSilence(asAda(), { silence_id });
  await reevaluateSilences(deps);
  await reevaluateSilences(deps);
  expect(await incidents()).toHaveLength(3);
  expect((await incidents())[2]).toMatchObject({
    title: expect.stringContaining("DiskFull"),
    hit_count: 1,
    status: "investigating",
  });
  expect((await alerts()).filter((one) => one.silenced_by !== null)).toEqual([]);
  expect((await outbox()).filter((topic) => topic === "incident.opened")).toHaveLength(3);
});

test("one that is delivered again after the silence opens its incident then, and counts once", async () => {
  await quiet('alertname="DiskFull"', 600);
  await receive(alert("DiskFull"));
  clock.forward(600);
  await receive(alert("DiskFull"));
  await receive(alert("DiskFull"));
  await reevaluateSilences(deps);
  expect(await incidents()).toMatchObject([{ hit_count: 1 }]);
});

test("one that resolves in its silence never comes up", async () => {
  await quiet('alertname="DiskFull"', 600);
  await receive(alert("DiskFull"));
  await receive(alert("DiskFull", {}, "resolved"));
  clock.forward(600);
  await reevaluateSilences(deps);
  expect(await incidents()).toEqual([]);
  expect(await alerts()).toMatchObject([{ status: "resolved", silenced_by: [{ by: "silence" }] }]);
});

test("a silence to come holds from its start, a change of it at once, and nothing is missed when it is ended early", async () => {
  const later = new Date(clock.now().getTime() + 60_000);
  const { silence_id } = await silence(asAda(), {
    matchers: parseMatchers("a=b"),
    starts_at: later,
    duration: 60,
    comment: "x",
  });
  await receive(alert("A", { a: "b", node: "1" }));
  expect(await incidents()).toHaveLength(1);
  clock.forward(60);
  await receive(alert("B", { a: "b", node: "2" }));
  expect(await incidents()).toHaveLength(1);
  await updateSilence(asAda(), { silence_id, ends_at: new Date(later.getTime() + 3_600_000) });
  clock.forward(120);
  await receive(alert("C", { a: "b", node: "3" }));
  expect(await incidents()).toHaveLength(1);
});

test("an incident that is open when it is silenced stays open and resolves, and nobody hears of it meanwhile", async () => {
  const [answer] = await receive(alert("DiskFull", { node: "a" }));
  const incident_id = answer?.incident_id ?? "";
  const sent: string[] = [];
  const send = async (card: { topic: string }) => {
    sent.push(card.topic);
    return { ok: true as const };
  };
  const notifiers = [{ id: "test", send }];
  const deliver = () => deliverNotices(deps.as("pipeline"), notifiers);
  await deliver();
  const before = sent.length;
  const made = await silenceIncident(asAda(), { incident_id, duration: 3_600, comment: "known" });
  expect(made.matchers.map((one) => one.name)).toEqual(["alertname", "node"]);
  expect((await silencesOfIncidents(asAda(), [incident_id])).get(incident_id)).toEqual([
    { by: "silence", id: made.silence_id },
  ]);
  await receive(alert("DiskFull", { node: "a", severity: "critical" }, "firing", "2026-05-04T08:10:00Z"));
  await database.pool.query(
    "insert into outbox (topic, incident_id, payload, created_at) values ('incident.reminder', $1, '{}', $2)",
    [incident_id, clock.now()],
  );
  await deliver();
  expect(sent).toHaveLength(before);
  expect(
    (await database.pool.query("select state, error from deliveries order by outbox_seq desc limit 1")).rows,
  ).toEqual([{ state: "silenced", error: `silenced by ${made.silence_id}` }]);
  await receive(alert("DiskFull", { node: "a", severity: "critical" }, "resolved", "2026-05-04T08:10:00Z"));
  await receive(alert("DiskFull", { node: "a" }, "resolved"));
  expect((await getIncident(asAda(), incident_id)).status).toBe("resolved");
  await deliver();
  expect(sent).toHaveLength(before);
  const waits = {
    ...deps.windows,
    release_after: deps.correlation.release_after,
    changes_allowed: true,
  };
  expect(await dueIncidents(deps.as("sweep"), waits, { after: "", limit: 9 })).toEqual([]);
});

test("a silence outlives the incident that it was made from", async () => {
  const [answer] = await receive(alert("DiskFull", { node: "a" }));
  const incident_id = answer?.incident_id ?? "";
  const { silence_id } = await silenceIncident(asAda(), { incident_id, duration: 3_600, comment: "known" });
  for (const table of ["alerts", "outbox", "approvals", "decisions", "timeline", "incidents"])
    await database.pool.query(`delete from ${table}`);
  expect((await endSilence(asAda(), { silence_id })).ended_by).toBe("ada");
});

test("a silence that begins and ends between two looks leaves nothing silent behind", async () => {
  await reevaluateSilences(deps);
  const { silence_id } = await quiet('alertname="DiskFull"');
  await receive(alert("DiskFull"));
  await endSilence(asAda(), { silence_id });
  await reevaluateSilences(deps);
  expect(await incidents()).toHaveLength(1);
});

test("a maintenance window keeps silent what it names, in its hours, and what still fires comes up at their end", async () => {
  deps = withTerms({
    maintenance: [
      {
        name: "backups",
        matchers: ['job="backup"'],
        why: "the nightly copy",
        // The clock stands at 08:00 UTC, which is 10:00 there.
        time_intervals: [{ times: [{ start_time: "09:00", end_time: "10:30" }], location: "Europe/Berlin" }],
      },
    ],
  });
  await receive(alert("Slow", { job: "backup" }), alert("Slow", { job: "web" }));
  expect(await incidents()).toHaveLength(1);
  expect(counted).toEqual(["maintenance"]);
  clock.forward(1_800);
  await reevaluateSilences(deps);
  expect(await incidents()).toHaveLength(2);
});

test("inhibition: equal labels, missing ones as empty, never by itself, and in any order within a batch", async () => {
  deps = withTerms({
    rules: [
      {
        source_matchers: ['severity="critical"'],
        target_matchers: ['severity=~"warning|critical"'],
        equal: ["cluster", "zone"],
      },
      { source_match: { alertname: "NodeDown" }, target_match_re: { alertname: "Pod.*" }, equal: ["node"] },
    ],
  });
  const by = async () =>
    Object.fromEntries(
      (await listAlerts(asAda(), { limit: 200 })).items.map((one) => [
        one.alert_name,
        one.silenced_by?.[0]?.by ?? null,
      ]),
    );
  await receive(
    alert("A", { cluster: "x", job: "a" }),
    alert("B", { cluster: "x", severity: "critical", job: "b" }),
    alert("C", { cluster: "y", job: "c" }),
    alert("D", { cluster: "x", zone: "", job: "d" }),
    alert("E", { cluster: "x", zone: "1", job: "e" }),
    alert("PodOut", { cluster: "z", node: "n" }),
  );
  expect(await by()).toEqual({ A: "inhibition", B: null, C: null, D: "inhibition", E: null, PodOut: null });
  await receive(alert("NodeDown", { cluster: "q", node: "n" }));
  await receive(alert("PodGone", { cluster: "r", node: "n" }), alert("PodElse", { cluster: "r", node: "m" }));
  // Both sides of one rule: neither inhibits the other.
  await receive(alert("F", { cluster: "x", severity: "critical", job: "f" }));
  expect(await by()).toMatchObject({
    PodGone: "inhibition",
    PodElse: null,
    PodOut: null,
    F: null,
    NodeDown: null,
  });
  const opened = (await incidents()).length;

  await reevaluateSilences(deps);
  expect(await incidents()).toHaveLength(opened);
  await receive(alert("NodeDown", { cluster: "q", node: "n" }, "resolved"));
  await reevaluateSilences(deps);
  expect(await by()).toMatchObject({ PodGone: null, A: "inhibition" });
  expect(await incidents()).toHaveLength(opened + 1);
  // F fires on: it inhibits A in place of B.
  await receive(alert("B", { cluster: "x", severity: "critical", job: "b" }, "resolved"));
  await reevaluateSilences(deps);
  expect(await by()).toMatchObject({ A: "inhibition", D: "inhibition" });
  await receive(alert("F", { cluster: "x", severity: "critical", job: "f" }, "resolved"));
  await reevaluateSilences(deps);
  expect(await by()).toMatchObject({ A: null, D: null });
  expect((await database.pool.query("select 1 from inhibitors")).rows).toEqual([]);
});

test("a batch costs the same number of queries however many alerts it holds", async () => {
  deps = withTerms({
    rules: [
      { source_matchers: ["severity=critical"], target_matchers: ["severity=warning"], equal: ["job"] },
    ],
  });
  await quiet('alertname="DiskFull"');
  const queries = async (count: number) => {
    const { db } = deps.as("intake");
    let asked = 0;
    const ctx = deps.as("intake");
    const counting = new Proxy(db, {
      get(target, name) {
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== "function") return value;
        if (name === "select" || name === "execute" || name === "insert") asked += 1;
        return value.bind(target);
      },
    });
    const firing = Array.from({ length: count }, (_, n) => ({
      alert_id: `ALT-${count}-${n}`,
      alert_name: "X",
      labels: { alertname: n % 2 ? "DiskFull" : "X", severity: n % 3 ? "warning" : "critical", job: `j${n}` },
    }));
    await deps.muting.silencedBy({ ...ctx, db: counting }, firing);
    return asked;
  };
  await queries(1);
  const few = await queries(5);
  expect(few).toBeLessThanOrEqual(3);
  expect(await queries(500)).toBe(few);
});
