import type { Incident } from "../contract/incident.ts";
import type { Ctx } from "../db/ctx.ts";
import { type IncidentRow, shownEffects, shownLinks } from "../incident/index.ts";

const EFFECTS = 50;
const RELATED = 20;

type Relations = Pick<Incident, "merged_into" | "effects" | "effect_count" | "related" | "probable_cause">;

const inWords = (reasons: readonly string[]) => reasons.join("; ");

/** Returns a function giving an incident's effects, related incidents and probable cause; two queries for all. */
export async function relationsOf(
  ctx: Ctx,
  rows: readonly IncidentRow[],
): Promise<(row: IncidentRow) => Relations> {
  const ids = rows.map((row) => row.incident_id);
  const effects = Map.groupBy(await shownEffects(ctx, ids, EFFECTS), (one) => one.main_id);
  const links = Map.groupBy(await shownLinks(ctx, ids, RELATED), (one) => one.incident_id);
  return ({ incident_id, merged_into }) => {
    const own = effects.get(incident_id) ?? [];
    const seen = links.get(incident_id) ?? [];
    // The cause given by a merge, which may be the incident itself, comes before one that is only linked.
    const cause =
      seen.find((one) => one.strength === "merge" && one.cause_id !== null) ??
      seen.find((one) => one.cause_id === one.other_id);
    return {
      merged_into,
      effects: own.map(({ main_id: _, count: __, reasons, ...one }) => ({
        ...one,
        reason: inWords(reasons),
      })),
      effect_count: own[0]?.count ?? 0,
      related: seen
        .filter((one) => one.strength === "link")
        .map(({ other_id, title, status, reasons }) => ({
          incident_id: other_id,
          title,
          status,
          reason: inWords(reasons),
        })),
      probable_cause:
        cause?.cause_id == null ? null : { incident_id: cause.cause_id, reason: cause.cause_reason ?? "" },
    };
  };
}
