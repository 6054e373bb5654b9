import { hashOfTexts } from "../../lib/canonical-json.ts";
import type { NormalisedAlert, NoticeOrigin } from "../types.ts";

/** A sender's latest report of an end: the place of its resolved notice among all notices, and the reported end. */
export type ReportedEnd = { place: string; ends_at: string };

/** One period in which an alert fires, with the fields that decide what further notices do to it. */
export type Outage = {
  alert_id: string;
  /** Number of the outage among those of its identity, from 1. */
  outage: number;
  /** `held`: a sender reports it firing after another sender reported the end, and may only be late. */
  status: "firing" | "held" | "resolved";
  /** Whether it stands for one call of a source that counts calls. */
  of_call: boolean;
  starts_at: Date;
  /** Place of the notice that began it. */
  began_with: string;
  /** Place of the notice that ended it, or the time at which AWOOOI ended it; null: not over. */
  ended_with: string | null;
  /** Place of the latest notice that reported it firing; null: none since this column exists. */
  said_with: string | null;
  /** Senders that reported it firing; for a held one, those that still do. */
  senders: readonly string[];
  /** The latest end that each sender reported. Empty: it ended because it was not repeated in time. */
  ended_by: Readonly<Record<string, ReportedEnd>>;
};

/** The stored state of an alert: its outages that are not over, oldest first, and the latest one that is. */
export type KnownOutages = { open: readonly Outage[]; last: Outage | undefined };

export type Notice = Pick<NormalisedAlert, "status" | "starts_at" | "start_known" | "ends_at"> & NoticeOrigin;

/** The effect of a firing notice. */
export type FiringEffect =
  | { kind: "new" }
  /** Becomes a new outage unless its sender reports the end within `resolve_timeout`. */
  | { kind: "hold" }
  /** A repetition of an outage that is known. */
  | { kind: "again"; of: Outage; senders: readonly string[] }
  /** The held outage begins. */
  | { kind: "begin"; held: Outage; senders: readonly string[] }
  /** The notice was received before the end of the last outage. */
  | { kind: "old"; last: Outage };

/** The effect of a resolved notice. */
export type ResolvedEffect = {
  ended: { outage: Outage; ended_by: Readonly<Record<string, ReportedEnd>> }[];
  /** The held outage without this sender; it is dropped when that was its only one. */
  held: { outage: Outage; senders: readonly string[] } | undefined;
  /** The last outage that was already over, with the end that this notice reports added. */
  last: { outage: Outage; ended_by: Readonly<Record<string, ReportedEnd>> } | undefined;
};

// Most senders kept for one outage, so that a sender with ever-changing addresses cannot grow the row without bound.
const SENDERS = 8;

/** Returns a hash that names a sender: its credential or address, and the external URL that the body gives. */
export function senderOf(sender: string, external_url: string | undefined): string {
  return hashOfTexts([sender, external_url ?? ""]).slice(0, 16);
}

/**
 * Returns the position of a notice among all notices as text that sorts: by receipt, and within a receipt by index in the body.
 * This is the order of the receipts, in whatever order they are processed.
 */
export function noticePlace(received_at: Date, seq: number, index: number): string {
  return `${received_at.toISOString()}/${String(seq).padStart(12, "0")}/${String(index).padStart(7, "0")}`;
}

/** Returns the place of an event at `at` that was no notice: it sorts before the notices received at that time. */
export const placeOfTime = (at: Date) => at.toISOString();

const timeOf = (place: string) => new Date(place.split("/", 1)[0] as string);

const withSender = (senders: readonly string[], sender: string) =>
  senders.includes(sender) ? senders : [...senders, sender].slice(-SENDERS);

/** Returns the end that a notice reports; its time of receipt when it gives none, or one before the start. */
export function reportedEnd({ ends_at, starts_at, start_known, received_at }: Omit<Notice, "status">): Date {
  return ends_at === null || (start_known && ends_at < starts_at) ? received_at : ends_at;
}

/** Returns `ended_by` with this notice's end; unchanged when its sender has reported that end or a later one. */
function withReportedEnd(
  ended_by: Readonly<Record<string, ReportedEnd>>,
  notice: Notice,
): Readonly<Record<string, ReportedEnd>> {
  const { sender, place } = notice;
  const ends_at = reportedEnd(notice).toISOString();
  const before = ended_by[sender];
  if (before !== undefined && (place <= before.place || ends_at <= before.ends_at)) return ended_by;
  const all = Object.entries({ ...ended_by, [sender]: { place, ends_at } });
  return Object.fromEntries(all.sort(([, a], [, b]) => (a.place < b.place ? -1 : 1)).slice(-SENDERS));
}

/** Returns the `ended_by` of an outage that this notice is the first to end. */
export const firstReportedEnd = (notice: Notice) => withReportedEnd({}, notice);

/** Returns the effect of a firing notice. Pure. */
export function applyFiring({ open, last }: KnownOutages, notice: Notice): FiringEffect {
  const { sender, place } = notice;
  const own = last?.ended_by[sender];
  const old =
    last !== undefined && (place < (last.ended_with ?? "") || (own !== undefined && place < own.place));
  const firing = open.findLast((one) => one.status === "firing" && !one.of_call);
  if (firing !== undefined) {
    // A late notice does not show that its sender still reports the alert as firing.
    const senders = old ? firing.senders : withSender(firing.senders, sender);
    return { kind: "again", of: firing, senders };
  }
  if (old) return { kind: "old", last };
  const held = open.find((one) => one.status === "held");
  // New at once when this sender reported the last end itself, or no sender did; otherwise it may only be late.
  const news = last === undefined || own !== undefined || Object.keys(last.ended_by).length === 0;
  if (held !== undefined) {
    const senders = withSender(held.senders, sender);
    return news ? { kind: "begin", held, senders } : { kind: "again", of: held, senders };
  }
  return { kind: news ? "new" : "hold" };
}

/** Returns whether a resolved notice only repeats an end its sender reported before. Without a valid end it means now. */
export function repeatsEnd(last: Pick<Outage, "ended_by"> | undefined, notice: Notice): boolean {
  const told = last?.ended_by[notice.sender];
  const end = reportedEnd(notice);
  return told !== undefined && end === notice.ends_at && end.toISOString() <= told.ends_at;
}

/**
 * Returns whether a resolved notice ends `outage`: it must have begun no later than the reported end. A sender may give two
 * outages the same start, so a replica's late notice about the first could end the second too: from a sender that did not report
 * this one firing, the end must not be before the receipt of the previous one.
 */
function endsOutage(outage: Outage, last: Outage | undefined, notice: Notice): boolean {
  if (notice.place < outage.began_with) return false;
  // Receipts may be processed out of order: a firing notice received after this one outweighs it.
  if (!notice.replayed && notice.place < (outage.said_with ?? "")) return false;
  const end = reportedEnd(notice);
  // A repeated end of the previous outage says nothing about this one.
  if (last !== undefined && last.outage < outage.outage && repeatsEnd(last, notice)) return false;
  const notices = timeOf(outage.began_with);
  // Only a start that the sender gave (before the receipt) compares with its end: any other is from our own clock.
  if (outage.starts_at < notices && outage.starts_at > end) return false;
  if (last === undefined || outage.of_call || last.outage > outage.outage) return true;
  if (outage.senders.includes(notice.sender)) return true;
  return last.ended_with === null || timeOf(last.ended_with) <= end;
}

/** Returns the effect of a resolved notice. Pure. */
export function applyResolved({ open, last }: KnownOutages, notice: Notice): ResolvedEffect {
  const firing = open.filter((one) => one.status === "firing");
  const over = firing.filter((one) => endsOutage(one, last, notice));
  const held = open.find((one) => one.status === "held");
  const taken = held?.senders.includes(notice.sender) && notice.place > held.began_with ? held : undefined;
  // A notice that ends nothing is about the previous outage: stored there, it makes this sender's next firing count as new.
  const late = over.length > 0 || last === undefined ? undefined : withReportedEnd(last.ended_by, notice);
  return {
    ended: over.map((outage) => ({ outage, ended_by: firstReportedEnd(notice) })),
    held: taken && { outage: taken, senders: taken.senders.filter((one) => one !== notice.sender) },
    last: late === undefined || last === undefined ? undefined : { outage: last, ended_by: late },
  };
}
