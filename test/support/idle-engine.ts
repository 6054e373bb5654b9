import { DBOS } from "@dbos-inc/dbos-sdk";
import type { TestDatabase } from "./database.ts";

/**
 * Starts the workflow engine on a test's database without its queue: it answers what it is asked, and whatever is
 * enqueued stays where it is. Returns its end.
 */
export async function startIdleEngine({ pool }: TestDatabase): Promise<() => Promise<void>> {
  // The databases of tests are made with it.
  await pool.query("delete from dbos.queues");
  DBOS.setConfig({ name: "awoooi", systemDatabasePool: pool, applicationVersion: "1", logLevel: "error" });
  await DBOS.launch();
  return () => DBOS.shutdown({ deregister: true });
}
