import { authorise } from "../access/index.ts";
import { record } from "../audit/index.ts";
import type { Ctx } from "../db/ctx.ts";
import { transaction } from "../db/transaction.ts";
import { addSeconds } from "../lib/clock.ts";
import { notify } from "../outbox/index.ts";
import { isActive } from "./converge.ts";
import { endsSince, lockIncident, updateIncident } from "./store.ts";
import { note } from "./timeline.ts";
import type { Flapping, IncidentRow } from "./types.ts";
import { resolve } from "./verbs/resolve.ts";

const minutes = (seconds: number) => (seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`);

/**
 * Resolves an incident for which nothing fires any more. If it has ended too often recently, it stays open as flapping:
 * people get one notice, and it is resolved after a quiet period.
 */
export async function endByNotice(
  ctx: Ctx,
  input: { incident_id: string; flapping: Flapping },
): Promise<void> {
  authorise(ctx.actor, "end incidents", { people: "none", system: ["intake", "sweep"] });
  const { incident_id, flapping } = input;
  await transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined || !isActive(incident)) return;
    if (incident.flapping) {
      await updateIncident(tx, incident_id, { flaps: incident.flaps + 1 });
      return;
    }
    const ends = 1 + (await lately(tx, incident, flapping));
    if (ends < flapping.ends) await resolve(tx, { incident_id, through: "notice" });
    else await begin(tx, incident, ends, incident.flaps + 1, flapping);
  });
}

/**
 * Counts ends of an incident that fires again by now, from outages folded as too short. Too many of them mean that it
 * flaps.
 */
export async function countEnds(
  ctx: Ctx,
  input: { incident_id: string; ends: number; flapping: Flapping },
): Promise<void> {
  authorise(ctx.actor, "end incidents", { people: "none", system: ["intake"] });
  const { incident_id, flapping } = input;
  await transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    if (incident === undefined || !isActive(incident)) return;
    const flaps = incident.flaps + input.ends;
    const ends = input.ends + (await lately(tx, incident, flapping));
    if (incident.flapping || ends < flapping.ends) await updateIncident(tx, incident_id, { flaps });
    else await begin(tx, incident, ends, flaps, flapping);
  });
}

/** Returns how often it ended recently: resolved by notice, or only counted. */
const lately = async (ctx: Ctx, { incident_id, flaps }: IncidentRow, { within }: Flapping) =>
  flaps + (await endsSince(ctx, incident_id, addSeconds(ctx.clock.now(), -within)));

async function begin(
  ctx: Ctx,
  { incident_id, merged_into }: IncidentRow,
  ends: number,
  flaps: number,
  { within }: Flapping,
): Promise<void> {
  await updateIncident(ctx, incident_id, { flapping: true, flaps });
  const reason = `It ended ${ends} times within ${minutes(within)}: it stays open until it has been quiet for that long`;
  note(ctx, { incident_id, kind: "status", text: `Flapping: ${reason}`, data: { ends, within } });
  record(ctx, { action: "incident.flapping", subject: incident_id, data: { ends, within } });
  // An effect sends no notice: its main incident does.
  if (merged_into === null)
    notify(ctx, { topic: "incident.flapping", incident_id, payload: { reason, ends, within } });
}

/**
 * Ends the flapping of an incident that has been quiet for the whole window: resolves it, or lets it go on as usual where
 * it fires.
 */
export async function endFlapping(
  ctx: Ctx,
  input: { incident_id: string; flapping: Flapping; fires: boolean },
): Promise<void> {
  authorise(ctx.actor, "end incidents", { people: "none", system: ["sweep"] });
  const { incident_id, flapping, fires } = input;
  await transaction(ctx, async (tx) => {
    const incident = await lockIncident(tx, incident_id);
    const quiet_since = addSeconds(tx.clock.now(), -flapping.within);
    if (incident === undefined || !incident.flapping || incident.updated_at > quiet_since) return;
    if (!fires) {
      await resolve(tx, { incident_id, through: "notice" });
      return;
    }
    await updateIncident(tx, incident_id, { flapping: false, flaps: 0 });
    const text = "No longer flapping: it has been firing without a break";
    note(tx, { incident_id, kind: "status", text });
  });
}
