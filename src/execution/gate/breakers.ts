import type { Ctx } from "../../db/ctx.ts";
import { touchedBy, touchSame } from "../../incident/index.ts";
import { addSeconds } from "../../lib/clock.ts";
import type { Operation } from "../../operation/index.ts";
import { activeFreeze } from "../freeze/active-freeze.ts";
import { actedSince } from "../store.ts";
import type { GatewayOptions } from "../types.ts";

/**
 * Returns what would stop these automatic changes if all of them began now: a freeze or an hourly rate; null: nothing.
 * Half a playbook is worse than none, so every step is counted beforehand. `owners` lists the owners of each operation's
 * target.
 */
export async function automaticStop(
  ctx: Ctx,
  options: GatewayOptions,
  operations: readonly Operation[],
  owners: readonly (readonly string[])[],
): Promise<string | null> {
  const frozen = await activeFreeze(ctx, options);
  if (frozen !== undefined) return frozen.message;
  const since = addSeconds(ctx.clock.now(), -3600);
  const { max_per_hour: max, automatic } = options;
  const touched = operations.map(({ target }, at) =>
    target === null ? [] : touchedBy(target, owners[at] ?? []),
  );
  for (const [at, { target }] of operations.entries()) {
    const belongs_to = owners[at] ?? [];
    const same = touched.filter((one) => touchSame(one, touched[at] ?? [])).length;
    const acted = await actedSince(ctx, "", { target, belongs_to }, since);
    const over = (count: number, more: number, most: number) => count + more > most;
    if (
      over(acted.automatic.target, same, automatic.max_per_hour.target) ||
      over(acted.all.target, same, max.target)
    )
      return `there were ${acted.automatic.target} automatic changes of ${target?.name} within an hour (of ${acted.all.target}): ${same} more would exceed the limit`;
    if (
      over(acted.automatic.total, operations.length, automatic.max_per_hour.total) ||
      over(acted.all.total, operations.length, max.total)
    )
      return `there were ${acted.automatic.total} automatic changes within an hour (of ${acted.all.total}): ${operations.length} more would exceed the limit`;
  }
  return null;
}
