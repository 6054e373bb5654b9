import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Page, PageQuery } from "../../contract/common.ts";
import type { WireHeartbeat } from "../../contract/heartbeat.ts";
import type { Ctx } from "../../db/ctx.ts";
import { pageOf } from "../../db/page.ts";
import { transaction } from "../../db/transaction.ts";
import { AwoooiError } from "../../lib/error.ts";
import { resolveMissingAlert } from "./detect-missing.ts";
import { deleteHeartbeat, heartbeatPage } from "./store.ts";
import type { Heartbeat } from "./types.ts";

function present({ watched_since, last_heard_at, missing_since, ...rest }: Heartbeat): WireHeartbeat {
  return {
    ...rest,
    watched_since: watched_since.toISOString(),
    last_heard_at: last_heard_at?.toISOString() ?? null,
    missing_since: missing_since?.toISOString() ?? null,
  };
}

/** Lists the heartbeats that are watched, newest first. */
export async function listHeartbeats(ctx: Ctx, query: PageQuery): Promise<Page<WireHeartbeat>> {
  authorise(ctx.actor, "list heartbeats", { people: "viewer" });
  const { rows, next_cursor } = pageOf(await heartbeatPage(ctx, query), query.limit, (row) => ({
    at: row.watched_since,
    id: row.heartbeat_id,
  }));
  return { items: rows.map(present), next_cursor };
}

/**
 * Stops watching a heartbeat, and ends the alert about its silence. One that the configuration names is watched again at once;
 * one that was learnt when it is next heard. Throws `not_found`.
 */
export async function forgetHeartbeat(ctx: Ctx, heartbeat_id: string): Promise<WireHeartbeat> {
  authorise(ctx.actor, "forget heartbeats", { people: "responder" });
  return transaction(ctx, async (tx) => {
    const gone = await deleteHeartbeat(tx, heartbeat_id);
    if (gone === undefined) throw new AwoooiError("not_found", `There is no heartbeat ${heartbeat_id}.`);
    await resolveMissingAlert(tx, gone);
    const { name, source } = gone;
    record(tx, { action: "heartbeat.forgotten", subject: heartbeat_id, data: { name, source } });
    return present(gone);
  });
}
