import type { AlertNotice } from "../../intake/index.ts";
import type { Understood } from "./decode-receipt.ts";

// Target duration of a transaction: others that wait for its locks, or for their turn, wait no longer.
const TARGET_MS = 500;
const SIZES = { least: 10, most: 1_000, first: 250 };
// Limits what one measurement changes: a transaction that was slow by chance must not have a lasting effect.
const CHANGE = { least: 0.25, most: 2 };
// An alert that flaps is folded: at most this many of its notices take effect.
const MOST_OF_ALERT = 6;

/** Adapts the number of notices per transaction so that one takes about half a second. */
export class PartSize {
  #notices: number;

  constructor(notices = SIZES.first) {
    this.#notices = notices;
  }

  get notices(): number {
    return this.#notices;
  }

  /** Records how many milliseconds a part with so many notices took. */
  took(notices: number, milliseconds: number): void {
    // A fast part much smaller than the limit says little about a full one.
    if (milliseconds < TARGET_MS && notices < this.#notices / 2) return;
    const wanted = (notices * TARGET_MS) / Math.max(milliseconds, 1);
    const { least, most } = CHANGE;
    const next = Math.min(Math.max(wanted, this.#notices * least), this.#notices * most);
    this.#notices = Math.round(Math.min(Math.max(next, SIZES.least), SIZES.most));
  }
}

/** The receipts of one transaction; `last`: with it all of them are fully processed. */
export type ReceiptPart = {
  receipts: readonly (Understood & {
    /** Number of alerts in the whole receipt, in all its parts. */
    alert_count: number;
  })[];
  last: boolean;
  /** Number of notices in it that may take effect, weighted by their length. */
  weight: number;
};

const isCounted = ({ of_call, status }: AlertNotice) => of_call && status === "firing";

// Ordinary alerts are shorter than this; one with longer texts costs as much as several.
const TEXT = 4_096;

function sizeOf({ labels, annotations, message }: AlertNotice): number {
  let length = message.length;
  for (const text of Object.values(labels)) length += text.length;
  for (const text of Object.values(annotations)) length += text.length;
  return 1 + Math.floor(length / TEXT);
}

/** Returns the maximum cost of an alert's notices, in notices of ordinary size. */
function weightOf(notices: readonly AlertNotice[]): number {
  const effective = notices.some(isCounted) ? notices : notices.slice(0, MOST_OF_ALERT);
  return effective.reduce((sum, notice) => sum + sizeOf(notice), 0);
}

type Slice = { alerts: AlertNotice[]; weight: number };

/** Splits alerts into parts. All notices of one alert stay in one part, in order, except calls that are counted one by one. */
function* slicesOf(alerts: readonly AlertNotice[], size: PartSize): Generator<Slice> {
  let slice: Slice = { alerts: [], weight: 0 };
  for (const notices of Map.groupBy(alerts, (alert) => alert.identity).values()) {
    const whole = weightOf(notices);
    if (slice.weight > 0 && slice.weight + whole > size.notices) {
      yield slice;
      slice = { alerts: [], weight: 0 };
    }
    const isSplit = whole > size.notices && notices.some(isCounted);
    for (const notice of notices) {
      if (isSplit && slice.weight >= size.notices) {
        yield slice;
        slice = { alerts: [], weight: 0 };
      }
      slice.alerts.push(notice);
      if (isSplit) slice.weight += sizeOf(notice);
    }
    if (!isSplit) slice.weight += whole;
  }
  yield slice;
}

/** Groups receipts, in order, so that each group fits one transaction. A larger receipt is a group by itself. */
export function* groupsOf(receipts: readonly Understood[], size: PartSize): Generator<Understood[]> {
  let group: Understood[] = [];
  let weight = 0;
  for (const one of receipts) {
    const own = one.alerts.reduce((sum, alert) => sum + sizeOf(alert), 0);
    if (group.length > 0 && weight + own > size.notices) {
      yield group;
      [group, weight] = [[], 0];
    }
    group.push(one);
    weight += own;
  }
  if (group.length > 0) yield group;
}

/** Yields the parts of a group of receipts, each sized by the limit at the time it is requested. */
export function* partsOf(group: readonly Understood[], size: PartSize): Generator<ReceiptPart> {
  const receipts = group.map((one) => ({ ...one, alert_count: one.alerts.length }));
  const [only, ...others] = receipts;
  if (only === undefined) return;
  if (others.length > 0) {
    const weight = receipts.flatMap((one) => one.alerts).reduce((sum, alert) => sum + sizeOf(alert), 0);
    yield { receipts, last: true, weight };
    return;
  }
  let before: Slice | undefined;
  for (const slice of slicesOf(only.alerts, size)) {
    if (before !== undefined)
      yield { receipts: [{ ...only, alerts: before.alerts }], last: false, weight: before.weight };
    before = slice;
  }
  const last = before ?? { alerts: [], weight: 0 };
  yield { receipts: [{ ...only, alerts: last.alerts }], last: true, weight: last.weight };
}
