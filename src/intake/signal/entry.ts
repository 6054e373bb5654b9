import { storable, time } from "../../contract/lenient.ts";
import { clip } from "../../lib/clip.ts";
import type { NamedReceipt } from "./store.ts";
import type { SignalEntry } from "./stream.ts";

// More is no signal: it is cut, and so becomes a dead letter.
const LONGEST = 5 * 1024 * 1024;

/** The fields of a receipt's entry. */
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

/** When the stream was given an entry: the first part of its id, in milliseconds. null: it has another form. */
function timeOf(id: string): Date | null {
  const at = new Date(Number(id.split("-")[0]));
  return Number.isNaN(+at) ? null : time.parse(at.toISOString());
}

/**
 * The receipt that an entry stands for, whoever appended it. Where there is no body its fields are the
 * signal's, as `XADD` by hand has them; what is neither becomes a receipt that nobody understands.
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
