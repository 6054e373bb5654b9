import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import type { Receipt } from "../types.ts";
import { receiptOf } from "./entry.ts";
import { insertEntries, type NamedReceipt } from "./store.ts";
import type { SignalEntry } from "./stream.ts";

/**
 * Journals entries of the signal stream, and returns those that were not in the journal yet. Idempotent: each entry takes effect
 * once.
 */
export async function bringEntries(ctx: Ctx, entries: readonly SignalEntry[]): Promise<Receipt[]> {
  authorise(ctx.actor, "journal signals", { people: "none", system: ["intake"] });
  const now = ctx.clock.now();
  return insertEntries(
    ctx,
    entries.map((entry) => receiptOf(entry, now)),
  );
}

/** Journals a receipt whose entry may or may not be on the stream; returns undefined when it is in the journal already. */
export async function bringReceipt(ctx: Ctx, receipt: NamedReceipt): Promise<Receipt | undefined> {
  authorise(ctx.actor, "journal signals", { people: "none", system: ["intake"] });
  return (await insertEntries(ctx, [receipt]))[0];
}
