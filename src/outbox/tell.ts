import type { Ctx } from "../db/ctx.ts";
import { insertNotice } from "./store.ts";
import type { Notice } from "./types.ts";

/** Has people told of `notice` if the open transaction commits; delivery is the notification room's. */
export async function tell(ctx: Ctx, notice: Notice): Promise<void> {
  await insertNotice(ctx, notice);
}
