import type { Ctx } from "../../db/ctx.ts";
import {
  bringReceipt,
  claimCall,
  entryOf,
  type Journal,
  type NamedReceipt,
  type Receipt,
  type SignalStream,
} from "../../intake/index.ts";
import { AwoooiError, messageOf } from "../../lib/error.ts";
import { prefixedId } from "../../lib/id.ts";
import type { IntakeWorker } from "./intake-worker.ts";

// The stream holds thousands of signals in memory: a larger body is only journalled.
const LIGHT = 64 * 1024;

type SignalCall = {
  source: string;
  sender: string;
  body: Buffer;
  idempotency_key?: string | undefined;
};

type Deps = {
  journal: Pick<Journal, "append">;
  intake: Pick<IntakeWorker, "add">;
  /** null: signals go to the journal alone. */
  stream: SignalStream | null;
};

const full = () =>
  new AwoooiError("overloaded", "Too many signals are queued; send this again.", { retryAfter: 2 });

/**
 * Returns a function that accepts a signal and resolves to its message id once it is on disk: on the stream's when that is
 * durable, else in the journal, with a copy on the stream. While the stream is away, only the journal is used. Rejects
 * with `overloaded` when the stream or the journal is full.
 */
export function createSignalIntake(
  ctx: Ctx,
  { journal, intake, stream }: Deps,
): (call: SignalCall) => Promise<string> {
  async function journalled(receipt: Omit<Receipt, "seq">): Promise<string> {
    const written = await journal.append(receipt);
    intake.add(written);
    return String(written.seq);
  }

  async function streamed(to: SignalStream, receipt: NamedReceipt): Promise<string> {
    let id: string | null;
    try {
      id = await to.append(entryOf(receipt));
    } catch (error) {
      ctx.log.debug({ error: messageOf(error) }, "a signal goes to the journal: its stream did not answer");
      // The append may have succeeded all the same: the shared `stream_id` makes the two one receipt.
      const written = await bringReceipt(ctx, receipt);
      if (written !== undefined) intake.add(written);
      return receipt.stream_id;
    }
    if (id === null) throw full();
    return id;
  }

  async function besideJournal(to: SignalStream, receipt: NamedReceipt): Promise<string> {
    // If the stream does not answer, the signal is journalled all the same.
    if (await to.full().catch(() => false)) throw full();
    const seq = await journalled(receipt);
    const id = await to.append(entryOf(receipt)).catch(() => null);
    return id ?? seq;
  }

  return async ({ idempotency_key = null, ...call }) => {
    const received_at =
      idempotency_key === null ? ctx.clock.now() : await claimCall(ctx, { ...call, idempotency_key });
    const receipt = { ...call, idempotency_key, received_at };
    const { up, durable } = stream?.state() ?? { up: false, durable: false };
    if (stream === null || !up || call.body.length > LIGHT) return journalled(receipt);
    const named = { ...receipt, stream_id: prefixedId("SIG", ctx.random) };
    return durable ? streamed(stream, named) : besideJournal(stream, named);
  };
}
