import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { alertmanagerBody } from "../../test/support/alerts.ts";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { setClock, testJourney } from "../../test/support/journey.ts";
import { until } from "../../test/support/until.ts";
import { insertReceipts } from "../intake/store.ts";
import { IntakeWorker } from "./intake-worker.ts";

let database: TestDatabase;
let worker: IntakeWorker;

beforeEach(async () => {
  database = await createDatabase();
  const journey = testJourney(database, setClock());
  worker = new IntakeWorker(() => journey);
});
afterEach(async () => {
  await worker.stop();
  await database.drop();
});

async function journalled(alertname: string): Promise<void> {
  const body = Buffer.from(JSON.stringify(alertmanagerBody([{ labels: { alertname, service: alertname } }])));
  const ctx = database.ctx();
  await insertReceipts(ctx, [{ source: "alertmanager", sender: "test", body, received_at: ctx.clock.now() }]);
}

const states = async () =>
  (await database.pool.query("select state from receipts order by seq")).rows.map((row) => row.state);

describe("the intake worker", () => {
  it("takes up receipts that an earlier process has left", async () => {
    await journalled("Left");
    await worker.start();
    await until(async () => (await states())[0] === "processed", "the receipt to be processed");
    await until(() => worker.backlog() === 0, "the backlog to be empty");
  });

  it("takes up many at once, however many pages they are", async () => {
    for (let n = 0; n < 250; n += 1) await journalled(`Left${n}`);
    await worker.start();
    await until(async () => !(await states()).includes("received"), "every receipt to be settled");
    expect(new Set(await states())).toEqual(new Set(["processed"]));
  });

  it("keeps a receipt that the database can never take as a dead letter, and the others go on", async () => {
    // As a statement does that runs into its time-out again and again: the database itself is well.
    await database.pool.query(`
      create function refuse() returns trigger language plpgsql as $$
        begin raise exception 'too much' using errcode = '58000'; end $$;
      create trigger refuse before insert on alerts for each row when (new.alert_name = 'Poison') execute function refuse()`);
    for (const name of ["Before", "Poison", "After"]) await journalled(name);
    await worker.start();
    await until(async () => !(await states()).includes("received"), "every receipt to be settled");
    expect(await states()).toEqual(["processed", "dead", "processed"]);
  });
});
