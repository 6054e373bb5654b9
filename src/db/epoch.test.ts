import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDatabase, type TestDatabase } from "../../test/support/database.ts";
import { assertEpoch, beginEpoch, TakenOverError } from "./epoch.ts";
import { isUnavailable } from "./failure.ts";
import { transaction } from "./transaction.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe("the epoch of a server", () => {
  it("ends with the next server's, for whatever begins after it", async () => {
    const first = await beginEpoch(database.db);
    const ctx = database.ctx();
    await transaction(ctx, (tx) => assertEpoch(tx, first));
    const second = await beginEpoch(database.db);
    expect(second).toBe(first + 1);
    const late = transaction(ctx, (tx) => assertEpoch(tx, first));
    await expect(late).rejects.toThrow(TakenOverError);
    await late.catch((error: unknown) => expect(isUnavailable(error)).toBe(true));
    await transaction(ctx, (tx) => assertEpoch(tx, second));
  });

  it("does not end while something is just being begun in it", async () => {
    const epoch = await beginEpoch(database.db);
    const order: string[] = [];
    let taking: Promise<unknown> = Promise.resolve();
    await transaction(database.ctx(), async (tx) => {
      await assertEpoch(tx, epoch);
      taking = beginEpoch(database.db).then(() => order.push("taken over"));
      // Until the other waits for our lock, as the server itself says.
      for (let waiting = 0; waiting === 0; ) {
        const { rows } = await database.pool.query<{ n: number }>(
          "select count(*)::int n from pg_locks where not granted and database = (select oid from pg_database where datname = current_database()) or not granted and locktype = 'transactionid'",
        );
        waiting = rows[0]?.n ?? 0;
      }
      order.push("begun");
    });
    await taking;
    expect(order).toEqual(["begun", "taken over"]);
  });
});
