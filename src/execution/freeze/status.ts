import { authorise } from "../../access/index.ts";
import type { FreezeStatus } from "../../contract/freeze.ts";
import type { Ctx } from "../../db/ctx.ts";
import { kindOf } from "../../lib/actor.ts";
import { actingNow } from "../store.ts";
import { type FreezeTerms, openWindows } from "./active-freeze.ts";
import { standingFreezes } from "./store.ts";

/** Returns whether changes are frozen now, and by what. Throws `forbidden`. */
export async function freezeStatus(ctx: Ctx, terms: FreezeTerms): Promise<FreezeStatus> {
  authorise(ctx.actor, "read freezes", { people: "viewer", system: ["intake"] });
  const freezes = await standingFreezes(ctx);
  const windows = openWindows(terms, ctx.clock.now());
  return {
    frozen: terms.frozen || freezes.length + windows.length > 0,
    by_configuration: terms.frozen,
    freezes: freezes.map(({ freeze_id, why, frozen_by, frozen_by_kind, since, until }) => ({
      freeze_id,
      why,
      frozen_by,
      frozen_by_kind: kindOf(frozen_by_kind),
      since: since.toISOString(),
      until: until?.toISOString() ?? null,
    })),
    windows: windows.map(({ name, why }) => ({ name, why })),
    under_way: await actingNow(ctx),
  };
}
