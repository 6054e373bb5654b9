import { eq, sql } from "drizzle-orm";
import type { Db } from "./client.ts";
import type { Ctx } from "./ctx.ts";
import { server_epoch } from "./schema.ts";

/** Another server has taken this database over: whatever this one begins now would be done twice. */
export class TakenOver extends Error {
  // Read by `isUnavailable`: what it was at waits for this process to end, and is the other server's.
  readonly code = "ETAKENOVER";
}

/** Makes this server the present one of its database. Called once, by the holder of the server lock. */
export async function beginEpoch(db: Db): Promise<number> {
  const [row] = await db
    .insert(server_epoch)
    .values({ epoch: 1 })
    .onConflictDoUpdate({ target: server_epoch.only, set: { epoch: sql`${server_epoch.epoch} + 1` } })
    .returning({ epoch: server_epoch.epoch });
  return row?.epoch ?? 0;
}

/**
 * Throws {@link TakenOver} unless `epoch` is the present one, and until the transaction ends no other begins:
 * the server lock may have been lost with its connection a moment ago, and nobody would have told us yet.
 */
export async function assertEpoch(ctx: Ctx, epoch: number): Promise<void> {
  const rows = await ctx.db
    .select({ epoch: server_epoch.epoch })
    .from(server_epoch)
    .where(eq(server_epoch.epoch, epoch))
    .for("share");
  if (rows.length === 0) throw new TakenOver("another server has taken over this database");
}
