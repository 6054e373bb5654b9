import { authorise } from "../../access/index.ts";
import type { Ctx } from "../../db/ctx.ts";
import { clip } from "../../lib/clip.ts";
import type { Clock } from "../../lib/clock.ts";
import { redactText } from "../../lib/redact.ts";
import { addCalls, type CallCount } from "./store.ts";

/** Result of a call that was journalled. Any other result, except `dead`, is the code of its refusal. */
export const ACCEPTED = "accepted";
/** Counted besides `accepted`: the call could not be parsed, or only in part. */
export const DEAD = "dead";

const HOUR_MS = 3_600_000;
// Most rows of an hour that name their sender; further senders are counted together.
const NAMED = 500;
const OTHERS = "others";
const SAMPLE = 300;

type Call = { source: string; result: string; sender?: string; sample?: string };

/** Counts calls by source, result, sender and hour, in memory; `flush` adds the counts to the database. */
export class CallCounts {
  readonly #clock: Clock;
  #counts = new Map<string, CallCount>();
  #hour = 0;
  #named = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a call. `sample` is the error text sent to the sender; the first of each row is kept. */
  note({ source, result, sender = "", sample }: Call): void {
    const now = this.#clock.now();
    const hour = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS;
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#named.clear();
    }
    const name = this.#named.size < NAMED || this.#named.has(key(source, result, sender)) ? sender : OTHERS;
    const id = key(source, result, name);
    if (name !== "" && name !== OTHERS) this.#named.add(id);
    const row = `${hour} ${id}`;
    const known = this.#counts.get(row);
    if (known !== undefined) {
      known.count += 1;
      known.last_at = now;
      return;
    }
    const text = sample === undefined ? null : clip(redactText(sample), SAMPLE);
    const times = { hour: new Date(hour), first_at: now, last_at: now };
    this.#counts.set(row, { source, result, sender: name, count: 1, sample: text, ...times });
  }

  /** Writes the counts to the database; those that cannot be written are kept for the next time. */
  async flush(ctx: Ctx): Promise<void> {
    authorise(ctx.actor, "count calls", { people: "none", system: ["intake"] });
    if (this.#counts.size === 0) return;
    const counts = this.#counts;
    this.#counts = new Map();
    try {
      await addCalls(ctx, [...counts.values()]);
    } catch (error) {
      for (const [row, count] of counts) this.#keep(row, count);
      throw error;
    }
  }

  #keep(row: string, before: CallCount): void {
    const since = this.#counts.get(row);
    if (since === undefined) this.#counts.set(row, before);
    else this.#counts.set(row, { ...before, count: before.count + since.count, last_at: since.last_at });
  }
}

const key = (source: string, result: string, sender: string) => `${source} ${result} ${sender}`;
