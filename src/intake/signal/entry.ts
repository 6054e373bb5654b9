import { storable, time } from "../../contract/lenient.ts";
import { clip } from "../../lib/clip.ts";
import type { NamedReceipt } from "./store.ts";
import type { SignalEntry } from "./stream.ts";

// Most bytes of a body. A longer one is cut, and so becomes a dead letter.
const LONGEST = 5 * 1024 * 1024;

/** Returns the fields of the stream entry for a receipt. */
export function entryOf(receipt: NamedReceipt): Record<string, string | Buffer> {
  const { stream_id, sender, idempotency_key, received_at, body } = receipt;
  return {
    name: stream_id,
    sender,
    received_at: received_at.toISOString(),
    ...(idempotency_key == null ? {} : { idempotency_key }),
    body,
  };
}

/** Returns when the stream received an entry: the first part of its id, in milliseconds; null: the id has another form. */
function timeOf(id: string): Date | null {
  const at = new Date(Number(id.split("-")[0]));
  return Number.isNaN(+at) ? null : time.parse(at.toISOString());
}

/**
 * Returns the receipt for an entry, whichever program appended it. Without a field `body` its fields are taken as the signal's,
 * as with `XADD` by hand; an entry that is neither becomes a receipt that ends as a dead letter.
 */
export function receiptOf({ id, fields }: SignalEntry, now: Date): NamedReceipt {
  const text = (name: string) => {
    const value = fields.get(name)?.toString("utf8");
    return value === undefined ? undefined : clip(storable(value), 255, "");
  };
  const said = time.parse(text("received_at")) ?? timeOf(id);
  const flat = () => Buffer.from(JSON.stringify(Object.fromEntries(textsOf(fields))));
  return {
    source: "signal",
    sender: text("sender") ?? "redis",
    body: (fields.get("body") ?? flat()).subarray(0, LONGEST),
    received_at: said !== null && said < now ? said : now,
    idempotency_key: text("idempotency_key") ?? null,
    stream_id: text("name") ?? `redis:${id}`,
  };
}

function* textsOf(fields: SignalEntry["fields"]): Generator<[string, string]> {
  for (const [name, value] of fields) yield [name, value.toString("utf8")];
}
