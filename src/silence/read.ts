import { authorise } from "../access/index.ts";
import type { Alert } from "../contract/incident.ts";
import type { AlertQuery, SilencedBy, SilenceQuery } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import { pageOf } from "../db/page.ts";
import { presentAlert } from "../intake/index.ts";
import { AwoooiError } from "../lib/error.ts";
import {
  alertPage,
  findSilence,
  newestSilences,
  silencedIncidents,
  silencePage,
  unendedSilencesOf,
} from "./store.ts";
import type { SilenceRow } from "./types.ts";

/** Returns one silence; throws `not_found`. */
export async function getSilence(ctx: Ctx, silence_id: string): Promise<SilenceRow> {
  authorise(ctx.actor, "read silences", { people: "viewer", senders: true });
  const row = await findSilence(ctx, silence_id);
  if (row === undefined) throw new AwoooiError("not_found", `There is no silence ${silence_id}.`);
  return row;
}

/** Lists silences in this state, newest first. */
export async function listSilences(
  ctx: Ctx,
  query: SilenceQuery,
): Promise<{ rows: SilenceRow[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read silences", { people: "viewer" });
  const rows = await silencePage(ctx, query);
  return pageOf(rows, query.limit, (row) => ({ at: row.created_at, id: row.silence_id }));
}

/** Returns the newest 10,000 silences, whatever their state. */
export async function allSilences(ctx: Ctx): Promise<SilenceRow[]> {
  authorise(ctx.actor, "read silences", { people: "viewer", senders: true });
  return newestSilences(ctx);
}

/** Returns a person's silences that are active or pending. */
export async function silencesOfPerson(
  ctx: Ctx,
  person: string,
): Promise<Pick<SilenceRow, "silence_id" | "comment" | "ends_at">[]> {
  authorise(ctx.actor, "read silences", { people: "viewer" });
  const rows = await unendedSilencesOf(ctx, person);
  return rows.map(({ silence_id, comment, ends_at }) => ({ silence_id, comment, ends_at }));
}

/** Lists alerts that fit all filters, newest first. */
export async function listAlerts(
  ctx: Ctx,
  query: AlertQuery,
): Promise<{ items: Alert[]; next_cursor: string | null }> {
  authorise(ctx.actor, "read alerts", { people: "viewer" });
  const found = await alertPage(ctx, query);
  const cursorOf = (row: (typeof found)[number]) => ({ at: row.first_received_at, id: row.alert_id });
  const { rows, next_cursor } = pageOf(found, query.limit, cursorOf);
  return { items: rows.map(presentAlert), next_cursor };
}

/** Returns those of these incidents whose alerts are all silenced, and what silences them. */
export async function silencesOfIncidents(
  ctx: Ctx,
  incident_ids: readonly string[],
): Promise<Map<string, SilencedBy[]>> {
  authorise(ctx.actor, "read silences", { people: "viewer", system: ["intake", "pipeline", "sweep"] });
  return silencedIncidents(ctx, incident_ids);
}
