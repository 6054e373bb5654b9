import type { AlertNotice } from "../../intake/index.ts";
import type { Understood } from "./decode-receipt.ts";

// How long a transaction should take: whoever waits for its locks, or for its turn, waits for no longer.
const TARGET_MS = 500;
const SIZES = { least: 10, most: 1_000, first: 250 };
// Of one measurement: what took long by chance must not count for long.
const CHANGE = { least: 0.25, most: 2 };
// What turns to and fro is folded: so many notices of one alert take effect at most.
const MOST_OF_ALERT = 6;

/** How many notices a transaction takes: as many as it took a fraction of a second for of late. */
export class PartSize {
  #notices: number;

  constructor(notices = SIZES.first) {
    this.#notices = notices;
  }

  get notices(): number {
    return this.#notices;
  }

  /** A part with so many notices took so many milliseconds. */
  took(notices: number, milliseconds: number): void {
    // A small one tells little of a large one, but that it may be larger.
    if (milliseconds < TARGET_MS && notices < this.#notices / 2) return;
    const wanted = (notices * TARGET_MS) / Math.max(milliseconds, 1);
    const { least, most } = CHANGE;
    const next = Math.min(Math.max(wanted, this.#notices * least), this.#notices * most);
    this.#notices = Math.round(Math.min(Math.max(next, SIZES.least), SIZES.most));
  }
}

/** What one transaction takes; `last`: with it all of its receipts are understood. */
export type Part = {
  receipts: readonly (Understood & {
    /** Of the whole receipt, in whichever part they are. */
    alert_count: number;
  })[];
  last: boolean;
  /** Notices in it that may take effect. */
  weight: number;
};

const isCounted = ({ of_call, status }: AlertNotice) => of_call && status === "firing";

// A genuine alert is shorter than this; one with longer texts costs as much as several.
const TEXT = 4_096;

function sizeOf({ labels, annotations, message }: AlertNotice): number {
  let length = message.length;
  for (const text of Object.values(labels)) length += text.length;
  for (const text of Object.values(annotations)) length += text.length;
  return 1 + Math.floor(length / TEXT);
}

/** What the notices of an alert cost at most, in notices of a usual size. */
function weightOf(notices: readonly AlertNotice[]): number {
  const effective = notices.some(isCounted) ? notices : notices.slice(0, MOST_OF_ALERT);
  return effective.reduce((sum, notice) => sum + sizeOf(notice), 0);
}

type Slice = { alerts: AlertNotice[]; weight: number };

/** Alerts in parts: all notices of one in the same part, in their order, but for calls that count one by one. */
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

/** Receipts in their order, as many together as one transaction takes; one that is larger by itself. */
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

/** The parts of a group of receipts, each as large as it may be when it is asked for. */
export function* partsOf(group: readonly Understood[], size: PartSize): Generator<Part> {
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
