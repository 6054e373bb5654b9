import type { Ctx } from "../../db/ctx.ts";
import { incidentsInExecution } from "../../execution/index.ts";
import { endByNotice, incidentsById, isReopenedByHand } from "../../incident/index.ts";
import { firingIncidents } from "../../intake/index.ts";
import type { PipelineDeps } from "../types.ts";

/** Resolves the incidents of ended alerts, where no other alert fires. */
export async function resolveQuiet(
  ctx: Ctx,
  { windows: { flapping } }: PipelineDeps,
  stored: readonly { status: string; incident_id: string | null }[],
): Promise<void> {
  const ended = stored.filter((alert) => alert.status === "resolved" && alert.incident_id !== null);
  const ids = [...new Set(ended.flatMap((alert) => alert.incident_id ?? []))];
  const firing = await firingIncidents(ctx, ids);
  const incidents = await incidentsById(ctx, ids);
  // An incident being executed on is resolved by its verification.
  const acting = await incidentsInExecution(ctx, ids);
  for (const incident_id of ids.sort()) {
    const incident = incidents.get(incident_id);
    // A person reopened it as not over: a sender's resolve notice does not end it.
    const by_hand = incident !== undefined && isReopenedByHand(incident);
    if (!firing.has(incident_id) && !acting.has(incident_id) && !by_hand)
      await endByNotice(ctx, { incident_id, flapping });
  }
}
