import type { Ctx } from "../../db/ctx.ts";
import { canonicalJson } from "../../lib/canonical-json.ts";
import { firingByOtherRoute, type NewOutage } from "./store.ts";

/** Maps each new outage that another source reports too to the outage that counts. */
export async function sameByOtherRoute(ctx: Ctx, news: readonly NewOutage[]): Promise<Map<string, string>> {
  // A source that counts calls means each one; and without labels two alerts cannot be known to be the same.
  const asked = news.filter(({ of_call, labels }) => !of_call && Object.keys(labels).length > 0);
  if (asked.length === 0) return new Map();
  const same = await firingByOtherRoute(ctx, asked);
  const first = new Map<string, { alert_id: string; sources: Set<string> }>();
  for (const { alert_id, source, fingerprint, labels } of asked) {
    if (same.has(alert_id)) continue;
    const key = `${fingerprint} ${canonicalJson(labels)}`;
    const one = first.get(key);
    if (one === undefined) first.set(key, { alert_id, sources: new Set([source]) });
    else if (!one.sources.has(source)) {
      one.sources.add(source);
      same.set(alert_id, one.alert_id);
    }
  }
  return same;
}
