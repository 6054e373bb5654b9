import { incidentsWithSignature, supersedeForMerge } from "../../approval/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { incidentsInExecution } from "../../execution/index.ts";
import {
  activeSince,
  type Candidate,
  type Convergence,
  type CorrelationOptions,
  DEFAULT_TERMS,
  effectsOf,
  type IncidentRow,
  incidentsById,
  isActive,
  lessonsAmong,
  linkIncidents,
  type Member,
  type Merge,
  mergeIncidents,
  pairKey,
  planCorrelation,
  raiseMain,
  release,
} from "../../incident/index.ts";
import { alertNamesOf } from "../../intake/index.ts";
import { notify } from "../../outbox/index.ts";
import { silencesOfIncidents } from "../../silence/index.ts";

// At most this many active incidents of the window are considered, the newest first.
const LOOKED_AT = 500;

/** The result of correlating the incidents that alerts have opened, reopened or made worse. */
export type Correlated = {
  /** Ids of effects, which are announced through their main incidents only. */
  quiet: ReadonlySet<string>;
  /** The current rows of the incidents that changed. */
  now: ReadonlyMap<string, IncidentRow>;
  /** Main incidents whose severity rose through their effects: they are decided again. */
  raised: { incident: IncidentRow; alert_names: string[] }[];
};

type Mutable = { quiet: Set<string>; now: Map<string, IncidentRow>; raised: Correlated["raised"] };

async function raised(ctx: Ctx, incident: IncidentRow): Promise<Correlated["raised"][number]> {
  return { incident, alert_names: await alertNamesOf(ctx, incident.incident_id) };
}

/**
 * Handles existing effects that were reopened or raised: they stay with an active main incident and are released from one
 * that is over. A reopened effect is also released from a silenced main incident, which sends no notices.
 */
async function updateEffects(ctx: Ctx, outcome: readonly Convergence[], found: Mutable): Promise<void> {
  const effects = outcome.filter(
    ({ incident, kind, raised }) => incident.merged_into !== null && (kind === "reopened" || raised),
  );
  const mains = await incidentsById(
    ctx,
    effects.flatMap(({ incident }) => incident.merged_into ?? []),
  );
  const silenced = await silencesOfIncidents(ctx, [...mains.keys()]);
  const worse = new Map<string, IncidentRow[]>();
  for (const { incident, kind } of effects) {
    const main = mains.get(incident.merged_into ?? "");
    const unheard = kind === "reopened" && silenced.has(incident.merged_into ?? "");
    if (main !== undefined && isActive(main) && !unheard) {
      found.quiet.add(incident.incident_id);
      worse.set(main.incident_id, [...(worse.get(main.incident_id) ?? []), incident]);
    } else {
      const why = `it fires, and ${incident.merged_into} is ${unheard ? "silenced" : "not active"}`;
      const { incident_id } = incident;
      found.now.set(incident_id, await release(ctx, incident, why));
      // A reopened incident gets the usual notice from the caller.
      if (kind === "converged")
        notify(ctx, { topic: "incident.released", incident_id, payload: { reason: why } });
    }
  }
  for (const main_id of [...worse.keys()].sort()) {
    const main = await raiseMain(ctx, main_id, worse.get(main_id) ?? []);
    if (main !== null) found.raised.push(await raised(ctx, main));
  }
}

const shapeOf = ({ labels, annotations, alert_name, cluster, namespace, starts_at }: Candidate) => ({
  alert_name,
  labels,
  annotations,
  cluster,
  namespace,
  starts_at,
});

function memberOf(candidate: Candidate, fresh: boolean): Member {
  const { incident_id: id, fingerprint, notification_type, merged_into, created_at } = candidate;
  const symptom = { id, ...shapeOf(candidate), services: candidate.affected_services };
  return { id, fingerprint, notification_type, merged_into, created_at, fresh, symptom };
}

const byBeginning = (a: Member, b: Member) =>
  (a.symptom.starts_at?.getTime() ?? 0) - (b.symptom.starts_at?.getTime() ?? 0) ||
  (a.fingerprint < b.fingerprint ? -1 : 1);

function freshMember({ incident, alerts }: Convergence): Member[] {
  const [first] = alerts;
  return first === undefined ? [] : [memberOf({ ...first, ...incident }, true)];
}

/** Returns the merges that would bring together, directly or through other effects, incidents that people have split. */
async function parted(ctx: Ctx, merges: readonly Merge[], members: readonly Member[]): Promise<Set<Merge>> {
  const ids = [...new Set(merges.flatMap((one) => [one.effect_id, one.main_id]))];
  const keys = new Map(members.map((member) => [member.id, member.fingerprint]));
  for (const [id, row] of await incidentsById(ctx, ids)) keys.set(id, row.fingerprint);
  const inside = new Map(ids.map((id) => [id, new Set([keys.get(id) ?? id])]));
  for (const { merged_into, fingerprint } of await effectsOf(ctx, ids))
    inside.get(merged_into ?? "")?.add(fingerprint);
  const lessons = await lessonsAmong(ctx, [...new Set([...inside.values()].flatMap((some) => [...some]))]);
  const apart = new Set(
    lessons
      .filter((one) => one.lesson === "apart")
      .map((one) => pairKey(one.fingerprint, one.other_fingerprint)),
  );
  const refused = new Set<Merge>();
  if (apart.size === 0) return refused;
  for (const merge of merges) {
    const theirs = inside.get(merge.effect_id) ?? new Set();
    const ours = inside.get(merge.main_id) ?? new Set();
    if ([...theirs].some((one) => [...ours].some((other) => apart.has(pairKey(one, other)))))
      refused.add(merge);
    else for (const one of theirs) ours.add(one);
  }
  return refused;
}

/** Correlates incidents that begin now with the active ones and with each other, in a fixed number of queries. */
async function relateBegun(
  ctx: Ctx,
  options: CorrelationOptions,
  begun: readonly Convergence[],
  found: Mutable,
): Promise<void> {
  const now = ctx.clock.now().getTime();
  const ids = begun.map((one) => one.incident.incident_id);
  const active = await activeSince(ctx, new Date(now - options.window * 1000), ids, LOOKED_AT);
  const members = [
    ...active.map((one) => memberOf(one, false)).reverse(),
    // Sorted by start and fingerprint, so that the order of arrival does not matter.
    ...begun.flatMap(freshMember).sort(byBeginning),
  ];
  if (members.length < 2) return;
  const lessons = await lessonsAmong(
    ctx,
    members.map((member) => member.fingerprint),
  );
  const terms = { ...DEFAULT_TERMS, window_ms: options.window * 1000 };
  const plan = planCorrelation(members, lessons, { ...options, terms });
  if (plan.merges.length > 0)
    await merge(ctx, plan.merges, await parted(ctx, plan.merges, members), begun, found);
  await linkIncidents(ctx, plan.links);
}

async function merge(
  ctx: Ctx,
  merges: readonly Merge[],
  refused: ReadonlySet<Merge>,
  begun: readonly Convergence[],
  found: Mutable,
): Promise<void> {
  const opened = new Set(
    begun.flatMap(({ kind, incident }) => (kind === "opened" ? incident.incident_id : [])),
  );
  const before = merges.map((one) => one.effect_id).filter((id) => !opened.has(id));
  // An incident whose plan is signed or being executed keeps going by itself: it is linked to the cause, not merged.
  const signed = await incidentsWithSignature(ctx, before);
  const acting = await incidentsInExecution(ctx, before);
  const untold = new Set(begun.map((one) => one.incident.incident_id));
  // A silenced main incident sends no notices, so its effects would go unnoticed: they are linked, not merged.
  const mains = new Set(merges.map((one) => one.main_id).filter((id) => !untold.has(id)));
  const silenced = await silencesOfIncidents(ctx, [...mains]);
  const stays = (one: Merge) =>
    refused.has(one) || signed.has(one.effect_id) || acting.has(one.effect_id) || silenced.has(one.main_id);
  const done = await mergeIncidents(
    ctx,
    merges.filter((one) => !stays(one)),
    untold,
  );
  await supersedeForMerge(
    ctx,
    new Map(
      [...done.effects.values()]
        .filter((one) => !opened.has(one.incident_id))
        .map((one) => [one.incident_id, `merged into ${one.merged_into}`]),
    ),
  );
  await linkIncidents(
    ctx,
    merges.filter(stays).map(({ effect_id, main_id, reasons, cause_reason }) => ({
      incident_id: effect_id,
      other_id: main_id,
      reasons,
      cause_id: cause_reason === null ? null : main_id,
      cause_reason,
    })),
  );
  for (const [id, effect] of done.effects) {
    found.quiet.add(id);
    found.now.set(id, effect);
  }
  for (const [id, main] of done.mains) found.now.set(id, main);
  for (const main of done.raised) found.raised.push(await raised(ctx, main));
}

/**
 * Correlates new, reopened and worsened incidents with the active ones, in the transaction of their alerts. A concurrent
 * transaction that opens the cause of the same trouble is not seen. Rows to be changed are locked and read again, so that
 * the worst case is two incidents that stay unrelated.
 */
export async function correlate(
  ctx: Ctx,
  options: CorrelationOptions,
  outcome: readonly Convergence[],
): Promise<Correlated> {
  const found: Mutable = { quiet: new Set(), now: new Map(), raised: [] };
  await updateEffects(ctx, outcome, found);
  const begun = outcome.filter(
    ({ kind, incident, becomes_trouble }) =>
      (kind !== "converged" || becomes_trouble) && !found.quiet.has(incident.incident_id),
  );
  if (options.enabled && begun.length > 0) await relateBegun(ctx, options, begun, found);
  return found;
}
