import type { Ctx } from "../db/ctx.ts";
import type { HttpDeps } from "../http/index.ts";
import {
  ACCEPTED,
  CallCounts,
  type CountedCall,
  DEAD,
  deadLetterStock,
  SourceLimited,
  SourceLimiter,
} from "../intake/index.ts";
import { addSeconds } from "../lib/clock.ts";
import { firingIn, type PipelineDeps, previewReceipt, type Received } from "../pipeline/index.ts";
import type { ActiveConfig } from "./config/active.ts";
import { startLoop } from "./loop.ts";
import type { Metrics } from "./metrics/metrics.ts";

// How often the dead letters are counted again, as retention and replays remove some. The count reads all of them.
const STOCK_SECONDS = 300;
const HOUR = 3_600;

type Sent = Omit<Parameters<HttpDeps["receive"]>[0], "idempotency_key">;

/** The limits of each source, and the record of refused calls. */
export type SourceLimiting = {
  http: HttpDeps["limiter"];
  sources: Pick<HttpDeps["sources"], "ids" | "limits" | "limited">;
  /** Throws for a call that exceeds a limit and must not be journalled; else returns what it counted. */
  admit: (sent: Sent) => CountedCall | null;
  /** Records that a call was accepted; `seq` is its place in the journal, if known. */
  accepted: (seq: number | null, source: string, counted: CountedCall | null) => void;
  received: (received: Received) => void;
  start: () => Promise<() => Promise<void>>;
};

export function createSourceLimiting(
  ctx: Ctx,
  metrics: Pick<Metrics, "refused">,
  current: () => { live: ReturnType<ActiveConfig["current"]>; pipeline: PipelineDeps },
  /** Seconds between two writes of the counts of refused calls. */
  every: number,
): SourceLimiting {
  const limiter = new SourceLimiter((source) => current().live.limitsOf(source), ctx.clock);
  const calls = new CallCounts(ctx.clock);
  const addressOf = (call: Parameters<HttpDeps["checkSender"]>[0]) => current().live.addressOf(call);
  let stockAt = 0;

  async function stock(anew = false): Promise<void> {
    const now = ctx.clock.now();
    limiter.stock(await deadLetterStock(ctx, addSeconds(now, -HOUR)), anew);
    stockAt = now.getTime() + STOCK_SECONDS * 1000;
  }

  async function update(): Promise<void> {
    limiter.sweep();
    await calls.flush(ctx);
    if (ctx.clock.now().getTime() >= stockAt) await stock();
  }

  return {
    http: {
      enter: ({ call, ...arrival }) => limiter.enter({ ...arrival, address: addressOf(call) }),
      refused({ source, call, error, bytes }) {
        const reason = error instanceof SourceLimited ? error.limit : error.code;
        const address = addressOf(call);
        metrics.refused(source, reason);
        calls.note({ source, result: reason, sender: address, sample: error.message });
        limiter.countRejected({ source, address, bytes });
      },
    },
    sources: {
      ids: () => current().pipeline.sources.map(({ id }) => id),
      limits: (source) => {
        const { body_limit: own, ...limits } = limiter.limitsOf(source);
        const all = current().live.config.intake.body_limit;
        return { ...limits, body_limit: Math.min(own ?? all, all) };
      },
      limited: (source) => limiter.limited(source),
    },
    admit({ source, sender, body, ...read }) {
      const received_at = ctx.clock.now();
      return limiter.admit({ source, sender, bytes: body.length }, () =>
        previewReceipt(current().pipeline, { source, sender, body, received_at }, read),
      );
    },
    accepted(seq, source, counted) {
      if (counted !== null && seq !== null) limiter.counted(seq, counted);
      calls.note({ source, result: ACCEPTED });
    },
    received({ seq, source, sender, bytes, replayed, alerts, error }) {
      const dead = error !== null;
      if (dead && !replayed) calls.note({ source, result: DEAD });
      limiter.processed({
        seq,
        source,
        sender,
        bytes,
        dead: dead && !replayed,
        fingerprints: firingIn(alerts),
      });
    },
    async start() {
      await stock(true);
      const stop = startLoop("the record of refused calls", () => every, ctx.log, update);
      return async () => {
        await stop();
        await calls.flush(ctx);
      };
    },
  };
}
