import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { getIncident } from "../incident/index.ts";
import { alertsOf } from "../intake/index.ts";
import { ALERT_STATUS, INCIDENT_STATUS, presentValue, SEVERITY } from "../lib/old-values.ts";
import { renameOldIncidents, renameOldValues } from "./old-values.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.forget());

/** An incident as an installation of before has it. */
const incident = (id: string, status: string, severity: string, fingerprint = id, day = 1) =>
  database.pool.query(
    `insert into incidents (incident_id, fingerprint, title, status, severity, alert_category, notification_type,
       affected_services, hit_count, first_seen, last_seen, created_at, updated_at)
     values ($1, $4, 'x', $2, $3, 'general', 'TYPE-3', '{}', 1, now(), now(), date '2026-01-01' + $5::int, date '2026-01-09')`,
    [id, status, severity, fingerprint, day],
  );
const stored = async () =>
  (await database.pool.query("select incident_id, status, severity from incidents order by 1")).rows;
const CASES = [
  ["open", "critical", "investigating", "P0"],
  ["OPEN", "HIGH", "investigating", "P1"],
  ["acknowledged", "warning", "investigating", "P2"],
  ["in_progress", "medium", "mitigating", "P2"],
  ["Resolved", "low", "resolved", "P3"],
  ["CLOSED", "info", "closed", "P3"],
  ["archived", "p0", "closed", "P0"],
  ["made up", "made up", "investigating", "P2"],
  ["mitigating", "P1", "mitigating", "P1"],
] as const;

it("are read as what they are called now, whoever put them there", async () => {
  const ada = database.ctx({
    kind: "person",
    person_id: "PER-1",
    name: "ada",
    role: "viewer",
    token_id: "TOK-1",
  });
  for (const [index, [status, severity, ...now]] of CASES.entries()) {
    const id = `INC-20260101-OLD00${index}`;
    await incident(id, status, severity);
    const row = await getIncident(ada, id);
    expect([status, row.status, row.severity]).toEqual([status, ...now]);
    await database.pool.query(
      `insert into alerts (alert_id, source, source_fingerprint, fingerprint, incident_id, status, severity, alert_name,
         alert_type, alert_category, notification_type, cluster, namespace, target_resource, message, labels, annotations,
         starts_at, first_received_at, last_received_at)
       values ($1, 's', 'f', 'f', $2, 'open', $3, 'a', 'custom', 'general', 'TYPE-3', '', '', '', '', '{}', '{}', now(), now(), now())`,
      [`ALR-${index}`, id, severity],
    );
    expect(await alertsOf(ada, id, { limit: 9 })).toMatchObject({
      items: [{ status: "firing", severity: now[1] }],
      next_cursor: null,
    });
  }
  await renameOldValues(database.pool);
  expect((await stored()).map((row) => [row.status, row.severity])).toEqual(CASES.map(([, , ...now]) => now));
  const { rows } = await database.pool.query("select status, severity from alerts order by alert_id");
  expect(rows).toEqual(CASES.map(([, , , severity]) => ({ status: "firing", severity })));
});

it("are renamed once, at a start or by an import; of two that are open of one trouble the newest goes on", async () => {
  await incident("INC-A1", "open", "critical", "a", 1);
  await incident("INC-A2", "open", "critical", "a", 2);
  await incident("INC-A3", "resolved", "P0", "a", 3);
  await incident("INC-B1", "acknowledged", "high", "b", 2);
  await incident("INC-B2", "mitigating", "P1", "b", 1);
  for (let n = 0; n < 2; n += 1) {
    await renameOldIncidents(database.pool);
    expect(await stored()).toEqual([
      { incident_id: "INC-A1", status: "resolved", severity: "P0" },
      { incident_id: "INC-A2", status: "investigating", severity: "P0" },
      { incident_id: "INC-A3", status: "resolved", severity: "P0" },
      { incident_id: "INC-B1", status: "resolved", severity: "P1" },
      { incident_id: "INC-B2", status: "mitigating", severity: "P1" },
    ]);
  }
  const { rows } = await database.pool.query(
    "select incident_id from incidents where (resolved_at is null) <> (status in ('investigating', 'mitigating'))",
  );
  // The third was like this before.
  expect(rows).toEqual([{ incident_id: "INC-A3" }]);
});

it("have one name each, whatever their case", () => {
  for (const of of [SEVERITY, INCIDENT_STATUS, ALERT_STATUS]) {
    for (const value of of.values) expect(presentValue(of as never, value)).toBe(value);
    for (const [word, value] of of.old)
      expect(presentValue(of as never, ` ${word.toUpperCase()} `)).toBe(value);
  }
});
