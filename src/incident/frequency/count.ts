import type { Frequency } from "../../contract/incident.ts";
import type { Ctx } from "../../db/ctx.ts";
import { instancesSince } from "../../intake/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import { automaticRepairsSince } from "./store.ts";

const HOUR = 3_600;
const MONTH = 30 * 24 * HOUR;
const WINDOWS = [HOUR, 24 * HOUR, 7 * 24 * HOUR, MONTH];

/** How often an anomaly's trouble occurred, without the tier that follows from it. */
export type Often = Omit<Frequency, "escalation_level">;

/** Returns how often trouble of each of these anomaly keys has occurred, with two queries for all of them. */
export async function frequencies(
  ctx: Ctx,
  anomaly_keys: readonly string[],
): Promise<(anomaly_key: string) => Often> {
  const keys = [...new Set(anomaly_keys)];
  const now = ctx.clock.now();
  const moments = WINDOWS.map((seconds) => addSeconds(now, -seconds));
  const counts = await instancesSince(ctx, keys, moments);
  const repairs = await automaticRepairsSince(ctx, keys, addSeconds(now, -MONTH));
  return (anomaly_key) => {
    const [count_1h = 0, count_24h = 0, count_7d = 0, count_30d = 0] = counts.get(anomaly_key) ?? [];
    const auto_repair_count = repairs.get(anomaly_key) ?? 0;
    return { anomaly_key, count_1h, count_24h, count_7d, count_30d, auto_repair_count };
  };
}

/** Adds `more` outages that begin now and are not stored yet. */
export function withMore(often: Often, more: number): Often {
  const { count_1h, count_24h, count_7d, count_30d } = often;
  return {
    ...often,
    count_1h: count_1h + more,
    count_24h: count_24h + more,
    count_7d: count_7d + more,
    count_30d: count_30d + more,
  };
}
