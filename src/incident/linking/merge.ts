import { authorise } from "../../access/index.ts";
import { record } from "../../audit/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { actorLabel } from "../../lib/actor.ts";
import { notify } from "../../outbox/index.ts";
import { isActive, notifySeverityRaised, SERVICES, worseSeverity } from "../converge.ts";
import { keepIncident, updateIncident } from "../store.ts";
import { note } from "../timeline.ts";
import type { IncidentRow } from "../types.ts";
import { effectsOf, keepLinks, lockIncidents, setMergedInto, weakenLink } from "./store.ts";
import type { Link, Merge } from "./types.ts";

// At most this many effects are named in one timeline entry.
const NAMED = 5;

const ADMISSION = { people: "responder", system: ["intake"] } as const;

/** Throws unless the actor may merge and split incidents. */
export function admitMerging(ctx: Ctx): void {
  authorise(ctx.actor, "merge or split incidents", ADMISSION);
}

export type Merged = {
  /** Incidents that became effects, by id. */
  effects: Map<string, IncidentRow>;
  /** Current rows of the main incidents, by id. */
  mains: Map<string, IncidentRow>;
  /** Main incidents whose severity rose. */
  raised: IncidentRow[];
};

function notifyMain(ctx: Ctx, main: IncidentRow, effects: readonly IncidentRow[]): void {
  const named = effects.slice(0, NAMED).map((one) => `${one.incident_id} (${one.title})`);
  const more = effects.length > NAMED ? ` and ${effects.length - NAMED} more` : "";
  note(ctx, {
    incident_id: main.incident_id,
    kind: "status",
    text: `Merged into this: ${named.join(", ")}${more}`,
    data: { effects: effects.slice(0, 100).map((one) => one.incident_id), count: effects.length },
  });
}

/** Raises a main incident to the worst severity of its effects and adds their services. It keeps both after they leave. */
async function raiseMainByEffects(
  ctx: Ctx,
  main: IncidentRow,
  effects: readonly IncidentRow[],
): Promise<{ main: IncidentRow; raised: boolean }> {
  const severity = effects.map((one) => one.severity).reduce(worseSeverity, main.severity);
  const services = [...main.affected_services, ...effects.flatMap((one) => one.affected_services)];
  const affected_services = [...new Set(services)].slice(0, SERVICES);
  if (severity === main.severity && affected_services.length === main.affected_services.length)
    return { main, raised: false };
  const changed = await updateIncident(ctx, main.incident_id, { severity, affected_services });
  return { main: changed, raised: severity !== main.severity };
}

/** Adds the merges of an effect's own effects, which move with it: incidents are only ever merged into a main one. */
async function withTheirs(ctx: Ctx, merges: readonly Merge[]): Promise<(Merge & { from: string | null })[]> {
  const by = new Map(merges.map((merge) => [merge.effect_id, merge]));
  const theirs = await effectsOf(ctx, [...by.keys()]);
  return [
    ...merges.map((merge) => ({ ...merge, from: null })),
    ...theirs.flatMap(({ incident_id: effect_id, merged_into: from }) => {
      const merge = by.get(from ?? "");
      return merge === undefined ? [] : [{ ...merge, effect_id, from, reasons: [`an effect of ${from}`] }];
    }),
  ];
}

/**
 * Merges incidents into others in the open transaction. Skips merges that no longer hold once the rows are locked (an
 * incident that is over, or an effect itself). `opened` were opened in this transaction and not announced: they get no
 * notice. Superseding the effects' approvals is left to the caller.
 */
export async function mergeIncidents(
  ctx: Ctx,
  merges: readonly Merge[],
  opened: ReadonlySet<string> = new Set(),
): Promise<Merged> {
  admitMerging(ctx);
  const rows = await lockIncidents(ctx, [...new Set(merges.flatMap((one) => [one.effect_id, one.main_id]))]);
  const stands = (id: string) => {
    const row = rows.get(id);
    return row !== undefined && isActive(row) && row.merged_into === null;
  };
  const effective = merges.filter((one) => stands(one.effect_id) && stands(one.main_id));
  const merged: Merged = { effects: new Map(), mains: new Map(), raised: [] };
  if (effective.length === 0) return merged;
  const all = await withTheirs(ctx, effective);
  await setMergedInto(ctx, all);
  await keepLinks(
    ctx,
    all.map(({ effect_id, main_id, reasons, cause_reason }) => ({
      incident_id: effect_id,
      other_id: main_id,
      strength: "merge",
      reasons,
      cause_id: cause_reason === null ? null : main_id,
      cause_reason,
    })),
    { made_by: actorLabel(ctx.actor), made_by_kind: ctx.actor.kind },
  );
  const effectsOfMain = new Map<string, IncidentRow[]>();
  for (const { effect_id, main_id, reasons, cause_reason } of effective) {
    const effect = { ...(rows.get(effect_id) as IncidentRow), merged_into: main_id };
    merged.effects.set(effect_id, effect);
    effectsOfMain.set(main_id, [...(effectsOfMain.get(main_id) ?? []), effect]);
    const text = `Merged into ${main_id}: ${reasons.join("; ")}`;
    note(ctx, { incident_id: effect_id, kind: "status", text, data: { into: main_id, reasons } });
    const data = { into: main_id, reasons, cause_reason };
    record(ctx, { action: "incident.merged", subject: effect_id, data });
    if (!opened.has(effect_id)) {
      const payload = { into: main_id, reason: text };
      notify(ctx, { topic: "incident.merged", incident_id: effect_id, payload });
    }
  }
  for (const [main_id, effects] of effectsOfMain) {
    const before = rows.get(main_id) as IncidentRow;
    const { main, raised } = await raiseMainByEffects(ctx, before, effects);
    notifyMain(ctx, main, effects);
    merged.mains.set(main_id, main);
    if (!raised || opened.has(main_id)) continue;
    merged.raised.push(main);
    notifySeverityRaised(ctx, main, before.severity);
  }
  return merged;
}

/** Passes a worse severity of its effects on to the main incident. Returns that where it rose, else null. */
export async function raiseMain(
  ctx: Ctx,
  main_id: string,
  effects: readonly IncidentRow[],
): Promise<IncidentRow | null> {
  authorise(ctx.actor, "raise severities of incidents", ADMISSION);
  const before = (await lockIncidents(ctx, [main_id])).get(main_id);
  if (before === undefined) return null;
  const { main, raised } = await raiseMainByEffects(ctx, before, effects);
  if (!raised) return null;
  notifySeverityRaised(ctx, main, before.severity);
  return main;
}

/** Makes an effect an incident of its own again; it stays linked to its former main incident, if that still exists. */
export async function release(ctx: Ctx, effect: IncidentRow, why: string): Promise<IncidentRow> {
  authorise(ctx.actor, "release effects", { people: "responder", system: ["intake", "sweep"] });
  const { incident_id, merged_into } = effect;
  if (merged_into === null) return effect;
  const released = await updateIncident(ctx, incident_id, { merged_into: null });
  await weakenLink(ctx, incident_id, merged_into);
  const from = { from: merged_into };
  note(ctx, { incident_id, kind: "status", text: `No longer part of ${merged_into}: ${why}`, data: from });
  // The main incident may have been deleted by retention, or be named by an imported row without ever having existed.
  if (await keepIncident(ctx, merged_into)) {
    const text = `${incident_id} is a separate incident again: ${why}`;
    note(ctx, { incident_id: merged_into, kind: "status", text, data: { incident_id } });
  }
  record(ctx, { action: "incident.released", subject: incident_id, data: { ...from, why } });
  return released;
}

/** Links incidents as related, without merging them. */
export async function linkIncidents(ctx: Ctx, links: readonly Link[]): Promise<void> {
  authorise(ctx.actor, "relate incidents", ADMISSION);
  await keepLinks(
    ctx,
    links.map((link) => ({ ...link, strength: "link" })),
    { made_by: actorLabel(ctx.actor), made_by_kind: ctx.actor.kind },
  );
  const story = (incident_id: string, other_id: string, reasons: string[]) => {
    const text = `Related to ${other_id}: ${reasons.join("; ")}`;
    note(ctx, { incident_id, kind: "status", text, data: { other_id, reasons } });
  };
  for (const { incident_id, other_id, reasons } of links) {
    story(incident_id, other_id, reasons);
    story(other_id, incident_id, reasons);
  }
}
