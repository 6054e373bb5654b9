import { authorise } from "../access/index.ts";
import type { SilencedBy } from "../contract/silence.ts";
import type { Ctx } from "../db/ctx.ts";
import { addSeconds } from "../lib/clock.ts";
import { compileMatchers, type LabelTest } from "../lib/matchers.ts";
import { isWithin } from "../lib/time-interval.ts";
import { inhibitionKeys } from "./inhibition.ts";
import type { InhibitRule, MaintenanceWindow } from "./settings.ts";
import { firingInhibitors, insertInhibitors, silencesVersion, unendedSilences } from "./store.ts";
import type { FiringLabels, Muting } from "./types.ts";

export type MutingTerms = {
  windows: readonly MaintenanceWindow[];
  rules: readonly InhibitRule[];
  /** Seconds after its last receipt from which on an alert inhibits nothing. */
  ttl: number;
};

type Muter = SilencedBy & { fits: LabelTest; starts_at: Date; ends_at: Date };

/** Returns a reader of the compiled silences that are not over; it queries them again only when one of them has changed. */
function silencesInMemory(): (ctx: Ctx) => Promise<Muter[]> {
  let known: { version: number; muters: Muter[] } | undefined;
  return async (ctx) => {
    const version = await silencesVersion(ctx);
    if (known?.version === version) return known.muters;
    const rows = version === 0 ? [] : await unendedSilences(ctx);
    const muters = rows.map(({ silence_id: id, matchers, starts_at, ends_at }) => ({
      by: "silence" as const,
      id,
      fits: compileMatchers(matchers),
      starts_at,
      ends_at,
    }));
    known = { version, muters };
    return muters;
  };
}

/** Returns an alert with its name as the label `alertname`, also where its source gave no such label. */
const labelled = (alert: FiringLabels): FiringLabels =>
  alert.labels.alertname === undefined
    ? { ...alert, labels: { ...alert.labels, alertname: alert.alert_name } }
    : alert;

/**
 * Creates the check for what keeps alerts silent. Silences and windows cost one query per call, inhibition rules one or two more;
 * none costs a query per alert.
 */
export function createMuting({ windows, rules, ttl }: MutingTerms): Muting {
  const living = silencesInMemory();
  const compiled = windows.map((window) => ({ ...window, fits: compileMatchers(window.matchers) }));
  const keysOf = inhibitionKeys(rules);

  async function inForce(ctx: Ctx): Promise<Pick<Muter, "by" | "id" | "fits">[]> {
    const now = ctx.clock.now();
    const silences = await living(ctx);
    return [
      ...silences.filter(({ starts_at, ends_at }) => starts_at <= now && now < ends_at),
      ...compiled
        .filter(({ time_intervals }) => time_intervals.some((interval) => isWithin(interval, now)))
        .map(({ name, fits }) => ({ by: "maintenance" as const, id: name, fits })),
    ];
  }

  /** Returns for each alert the one that inhibits it: another of these, or one that fires already. */
  async function inhibited(ctx: Ctx, firing: readonly FiringLabels[]): Promise<Map<string, string>> {
    if (rules.length === 0) return new Map();
    const judged = firing.map((alert) => ({ alert_id: alert.alert_id, ...keysOf(alert) }));
    const sources = judged.flatMap(({ alert_id, inhibits }) => inhibits.map((key) => ({ key, alert_id })));
    if (sources.length > 0) await insertInhibitors(ctx, sources);
    const inhibitor = new Map(sources.map(({ key, alert_id }) => [key, alert_id]));
    const asked = new Set(judged.flatMap((one) => one.inhibited.filter((key) => !inhibitor.has(key))));
    const receivedSince = addSeconds(ctx.clock.now(), -ttl);
    if (asked.size > 0)
      for (const [key, alert_id] of await firingInhibitors(ctx, [...asked], receivedSince))
        inhibitor.set(key, alert_id);
    return new Map(
      judged.flatMap(({ alert_id, inhibited: keys }) => {
        const by = keys.map((key) => inhibitor.get(key)).find((id) => id !== undefined);
        return by === undefined ? [] : [[alert_id, by] as const];
      }),
    );
  }

  return {
    async silencedBy(ctx, firing) {
      authorise(ctx.actor, "evaluate silences", { people: "none", system: ["intake", "sweep"] });
      if (firing.length === 0) return new Map();
      const muters = await inForce(ctx);
      const named = muters.length + rules.length === 0 ? [] : firing.map(labelled);
      const inhibitors = await inhibited(ctx, named);
      const found = new Map<string, SilencedBy[]>();
      for (const { alert_id, labels } of named) {
        const inhibitor = inhibitors.get(alert_id);
        const reasons: SilencedBy[] = [
          ...muters.filter(({ fits }) => fits(labels)).map(({ by, id }) => ({ by, id })),
          ...(inhibitor === undefined ? [] : [{ by: "inhibition" as const, id: inhibitor }]),
        ];
        if (reasons.length > 0) found.set(alert_id, reasons);
      }
      return found;
    },
    inForce: async (ctx) => (await inForce(ctx)).map(({ by, id }) => `${by}:${id}`),
  };
}
