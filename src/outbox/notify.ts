import type { Ctx } from "../db/ctx.ts";
import { defer } from "../db/transaction.ts";
import { insertNotices } from "./store.ts";
import type { Notice } from "./types.ts";

/** Has people told of `notice` if the open transaction commits; delivery is the notification room's. */
export function notify(ctx: Ctx, notice: Notice): void {
  defer(ctx, "notices", { ...notice, created_at: ctx.clock.now() }, insertNotices);
}
