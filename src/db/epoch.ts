import { eq, sql } from "drizzle-orm";
import type { Db } from "./client.ts";
import type { Ctx } from "./ctx.ts";
import { server_epoch } from "./schema.ts";

/** Thrown when another server has taken over the database: anything begun here now would be done twice. */
export class TakenOverError extends Error {
  // `isUnavailable` knows this code: the work in hand is left to the other server, and this process ends.
  readonly code = "ETAKENOVER";
}

/** Increments the fencing token of the database and returns it. Called once per start, by the holder of the server lock. */
export async function beginEpoch(db: Db): Promise<number> {
  const [row] = await db
    .insert(server_epoch)
    .values({ epoch: 1 })
    .onConflictDoUpdate({ target: server_epoch.only, set: { epoch: sql`${server_epoch.epoch} + 1` } })
    .returning({ epoch: server_epoch.epoch });
  return row?.epoch ?? 0;
}

/**
 * Throws {@link TakenOverError} unless `epoch` is the present fencing token; its row lock keeps another server from
 * taking over until the transaction ends. The server lock alone may have been lost unnoticed with its connection.
 */
export async function assertEpoch(ctx: Ctx, epoch: number): Promise<void> {
  const rows = await ctx.db
    .select({ epoch: server_epoch.epoch })
    .from(server_epoch)
    .where(eq(server_epoch.epoch, epoch))
    .for("share");
  if (rows.length === 0) throw new TakenOverError("another server has taken over this database");
}
