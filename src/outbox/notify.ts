import type { Ctx } from "../db/ctx.ts";
import { defer } from "../db/transaction.ts";
import { insertNotices } from "./store.ts";
import type { Notice } from "./types.ts";

/** Writes `notice` to the outbox in the open transaction; the notification room delivers it after the commit. */
export function notify(ctx: Ctx, notice: Notice): void {
  defer(ctx, "notices", { ...notice, created_at: ctx.clock.now() }, insertNotices);
}
