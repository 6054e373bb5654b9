import { globSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { approved } from "../../test/support/approved.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { makePerson, setClock } from "../../test/support/pipeline-deps.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

/** What the migration says of rows from before, whatever its number. */
function backfill(): string {
  const [file = ""] = globSync("*_kinds_of_actors.sql", { cwd: `${import.meta.dirname}/migrations` });
  const text = readFileSync(`${import.meta.dirname}/migrations/${file}`, "utf8");
  const updates = text.split("--> statement-breakpoint").filter((one) => one.includes("UPDATE "));
  expect(updates.length).toBeGreaterThan(10);
  return updates.join("\n");
}

it("rows from before have the kind of their actors where that can be told, and none where it cannot", async () => {
  const clock = setClock();
  const ada = await makePerson(database.ctx(undefined, clock), "ada", "approver");
  const { incident_id } = await approved([ada], database, clock);
  const note = (actor: string) =>
    database.pool.query(
      "insert into timeline (incident_id, at, kind, actor, text, data) values ($1, now(), 'status', $2, '', '{}')",
      [incident_id, actor],
    );
  for (const actor of ["ada", "sweep (system)", "grafana (sender)", "pipeline (system)"]) await note(actor);
  // Somebody was called so, before that was refused.
  await makePerson(database.ctx(undefined, clock), "pipeline (system)", "viewer");
  await database.pool.query(
    "update timeline set actor_kind = null; update approvals set requested_by_kind = null",
  );
  await database.pool.query(backfill());
  const kinds = async (text: string) => (await database.pool.query(text)).rows;
  expect(
    await kinds("select distinct actor, actor_kind from timeline where text = '' order by actor"),
  ).toEqual([
    { actor: "ada", actor_kind: "person" },
    { actor: "grafana (sender)", actor_kind: "sender" },
    { actor: "pipeline (system)", actor_kind: null },
    { actor: "sweep (system)", actor_kind: "system" },
  ]);
  expect(await kinds("select requested_by, requested_by_kind from approvals")).toEqual([
    { requested_by: "expert_system", requested_by_kind: "system" },
  ]);
  // No entry of the ledger says who made these.
  expect(await kinds("select distinct created_by_kind from tokens")).toEqual([{ created_by_kind: null }]);
});
