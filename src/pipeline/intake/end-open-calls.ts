import type { Ctx } from "../../db/ctx.ts";
import { transaction } from "../../db/transaction.ts";
import { lockFingerprints } from "../../incident/index.ts";
import {
  type AlertNotice,
  beginEnding,
  boundStatements,
  crowded,
  type EndingCalls,
  endPage,
  noticeBatches,
} from "../../intake/index.ts";
import { resolveQuiet } from "../sweep/resolve-quiet.ts";
import type { PipelineDeps } from "../types.ts";
import type { Understood } from "./decode-receipt.ts";
import { PartSize } from "./parts.ts";

// Each may be the last of an incident of its own, which costs as much as a hundred of one.
const FIRST_PAGE = 20;

/** The notices of these receipts, as they take effect, that end more calls than end at once; in their order. */
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
  return crowded(ctx, ends);
}

const senderOf = ({ source, sender }: Understood) => `${source}\n${sender}`;

/** Without the receipts that end so many calls, and what their senders sent after them: these are put into `later`. */
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

/** A page of the calls that a notice ends, with the incidents for which nothing fires any more. */
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
 * Ends, before these receipts are taken, most of the calls that their notices end where those are many: in transactions
 * of as many as took half a second of late, resting after each. Each is done for good: whoever begins anew goes on with
 * what is left. The notices then end the newest calls, and tell of the end.
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
