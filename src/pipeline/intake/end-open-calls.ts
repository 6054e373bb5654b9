import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { lockFingerprints } from "../../incident/index.ts";
import {
  type AlertNotice,
  beginEnding,
  boundStatements,
  type EndingCalls,
  endPage,
  noticeBatches,
  withManyOpenCalls,
} from "../../intake/index.ts";
import { resolveQuiet } from "../sweep/resolve-quiet.ts";
import type { PipelineDeps } from "../types.ts";
import type { Understood } from "./decode-receipt.ts";
import { PartSize } from "./receipt-parts.ts";

// Each call may be the last of its own incident, which costs as much as a hundred calls of one incident.
const FIRST_PAGE = 20;

/** Returns, in order, the effective resolve notices of these receipts that end more calls than are ended at once. */
async function crowdedEnds(
  ctx: Ctx,
  { sources }: PipelineDeps,
  receipts: readonly Understood[],
): Promise<AlertNotice[]> {
  const counting = new Set(sources.flatMap((one) => (one.counts_calls ? one.id : [])));
  const alerts = receipts.flatMap((one) => (counting.has(one.source) ? one.alerts : []));
  if (!alerts.some((alert) => alert.status === "resolved")) return [];
  const ends = noticeBatches(alerts)
    .flat()
    .filter((alert) => alert.status === "resolved");
  return withManyOpenCalls(ctx, ends);
}

const senderOf = ({ source, sender }: Understood) => `${source}\n${sender}`;

/**
 * Returns the receipts without those that end too many calls, and without later ones of the same senders. The `seq` of
 * each receipt left out is added to `later`.
 */
export async function withoutCrowded(
  ctx: Ctx,
  deps: PipelineDeps,
  receipts: readonly Understood[],
  later: Set<number>,
): Promise<Understood[]> {
  const ends = await crowdedEnds(ctx, deps, receipts);
  if (ends.length === 0) return [...receipts];
  const many = new Set(ends.map((one) => one.identity));
  const senders = new Set<string>();
  return receipts.filter((one) => {
    if (one.alerts.some(({ status, identity }) => status === "resolved" && many.has(identity)))
      senders.add(senderOf(one));
    if (!senders.has(senderOf(one))) return true;
    later.add(one.seq);
    return false;
  });
}

/** Ends one page of the calls that a notice ends, and resolves the incidents that no longer have a firing alert. */
async function takePage(
  ctx: Ctx,
  deps: PipelineDeps,
  notice: AlertNotice,
  ending: EndingCalls,
  { limit, statement }: { limit: number; statement: number | null },
) {
  return transaction(ctx, async (tx) => {
    if (statement !== null) await boundStatements(tx, statement);
    const lock = (fingerprints: readonly string[]) => lockFingerprints(tx, fingerprints);
    const page = await endPage(tx, notice, ending, limit, lock);
    await resolveQuiet(tx, deps, page.ended);
    return page;
  });
}

/**
 * Ends most of the calls that these receipts' notices end, where there are many, before the receipts are processed. Works
 * in transactions sized to take half a second and yields after each. Every page is committed: a new run continues with
 * what is left. The notices themselves then end the newest calls and report the end.
 */
export async function* endOpenCalls(
  ctx: Ctx,
  deps: PipelineDeps,
  receipts: readonly Understood[],
  statement: number | null,
): AsyncGenerator<void, void> {
  const size = new PartSize(FIRST_PAGE);
  for (const notice of await crowdedEnds(ctx, deps, receipts)) {
    let ending = await beginEnding(ctx, notice);
    while (ending !== null) {
      const begun = performance.now();
      const page = await takePage(ctx, deps, notice, ending, { limit: size.notices, statement });
      size.took(page.ended.length, performance.now() - begun);
      ending = page.left;
      yield;
    }
  }
}
