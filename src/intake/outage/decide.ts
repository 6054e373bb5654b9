import { hashOfTexts } from "../../lib/canonical-json.ts";
import type { NormalisedAlert, NoticeOrigin } from "../types.ts";

/** What a sender's latest resolved notice said: its place among all notices, and when the trouble ended. */
export type Ending = { place: string; ends_at: string };

/** One time that an alert fires, as far as what is heard of it depends on it. */
export type Outage = {
  alert_id: string;
  /** From 1, by identity. */
  outage: number;
  /** `held`: a sender says that it fires after another said that it is over, and may only be late. */
  status: "firing" | "held" | "resolved";
  /** It counts a call of its own. */
  of_call: boolean;
  starts_at: Date;
  /** The notice that began it. */
  began_with: string;
  /** The notice that ended it, or when we did. */
  ended_with: string | null;
  /** The latest notice that said that it fires; null: none since this is kept. */
  said_with: string | null;
  /** Who said that it fires; of one that is held, who still does. */
  senders: readonly string[];
  /** The latest end that each sender told of. Empty: it ended because nothing more was heard. */
  ended_by: Readonly<Record<string, Ending>>;
};

/** What is known of an alert: its outages that are not over, oldest first, and the latest that is. */
export type Known = { open: readonly Outage[]; last: Outage | undefined };

export type Notice = Pick<NormalisedAlert, "status" | "starts_at" | "start_known" | "ends_at"> & NoticeOrigin;

/** What comes of a notice that says that an alert fires. */
export type Fired =
  | { kind: "new" }
  /** A new outage once its sender has not taken it back for `resolve_timeout`. */
  | { kind: "hold" }
  /** The same outage again. */
  | { kind: "again"; of: Outage; senders: readonly string[] }
  /** What was held is an outage. */
  | { kind: "begin"; held: Outage; senders: readonly string[] }
  /** It is from before the end of the last outage. */
  | { kind: "old"; last: Outage };

/** What comes of a notice that says that an alert is over. */
export type Ended = {
  ended: { outage: Outage; ended_by: Readonly<Record<string, Ending>> }[];
  /** What is held and has lost one of its senders, and is dropped when that was the only one. */
  held: { outage: Outage; senders: readonly string[] } | undefined;
  /** What the last outage that was over before now knows of its end. */
  last: { outage: Outage; ended_by: Readonly<Record<string, Ending>> } | undefined;
};

// A sender that calls from ever new addresses must not make a row grow.
const SENDERS = 8;

/** Who sent a notice: credential or address, and where the body says that the sender is found. */
export function senderOf(sender: string, external_url: string | undefined): string {
  return hashOfTexts([sender, external_url ?? ""]).slice(0, 16);
}

/**
 * The place of a notice among all notices, as text that sorts: by receipt, and within one by place in the
 * body. Order is that of the receipts, whatever is understood first.
 */
export function placeOf(received_at: Date, seq: number, index: number): string {
  return `${received_at.toISOString()}/${String(seq).padStart(12, "0")}/${String(index).padStart(7, "0")}`;
}

/** The place of what happened at a time and was no notice: before the notices of that time. */
export const placeAt = (at: Date) => at.toISOString();

const timeOf = (place: string) => new Date(place.split("/", 1)[0] as string);

const withSender = (senders: readonly string[], sender: string) =>
  senders.includes(sender) ? senders : [...senders, sender].slice(-SENDERS);

/** When a notice says that the trouble ended: when it came, where it does not say or names a time before the start. */
export function endOf({ ends_at, starts_at, start_known, received_at }: Omit<Notice, "status">): Date {
  return ends_at === null || (start_known && ends_at < starts_at) ? received_at : ends_at;
}

/** With what a sender says of the end; the same notice again says nothing that is newer. */
function withEnding(
  ended_by: Readonly<Record<string, Ending>>,
  notice: Notice,
): Readonly<Record<string, Ending>> {
  const { sender, place } = notice;
  const ends_at = endOf(notice).toISOString();
  const before = ended_by[sender];
  if (before !== undefined && (place <= before.place || ends_at <= before.ends_at)) return ended_by;
  const all = Object.entries({ ...ended_by, [sender]: { place, ends_at } });
  return Object.fromEntries(all.sort(([, a], [, b]) => (a.place < b.place ? -1 : 1)).slice(-SENDERS));
}

/** What the first resolved notice of an outage says. */
export const endingBy = (notice: Notice) => withEnding({}, notice);

/** What comes of a firing notice. Pure. */
export function fires({ open, last }: Known, notice: Notice): Fired {
  const { sender, place } = notice;
  const own = last?.ended_by[sender];
  const old =
    last !== undefined && (place < (last.ended_with ?? "") || (own !== undefined && place < own.place));
  const firing = open.findLast((one) => one.status === "firing" && !one.of_call);
  if (firing !== undefined) {
    // What is late says nothing of who says so now.
    const senders = old ? firing.senders : withSender(firing.senders, sender);
    return { kind: "again", of: firing, senders };
  }
  if (old) return { kind: "old", last };
  const held = open.find((one) => one.status === "held");
  // Whose end was heard, or where nobody's was, its word is news at once.
  const news = last === undefined || own !== undefined || Object.keys(last.ended_by).length === 0;
  if (held !== undefined) {
    const senders = withSender(held.senders, sender);
    return news ? { kind: "begin", held, senders } : { kind: "again", of: held, senders };
  }
  return { kind: news ? "new" : "hold" };
}

/** Whether a notice says no more than its sender has said of the end before. Without an end it says: now. */
export function saysAgain(last: Pick<Outage, "ended_by"> | undefined, notice: Notice): boolean {
  const told = last?.ended_by[notice.sender];
  const end = endOf(notice);
  return told !== undefined && end === notice.ends_at && end.toISOString() <= told.ends_at;
}

/**
 * Whether a resolved notice ends an outage: it began no later than that notice says that it ended. A sender
 * may give one start to two outages, so that a replica's late word of the first would end the second too:
 * from a sender that did not say that this one fires, the end must be later than the receipt of the one before.
 */
function ends(outage: Outage, last: Outage | undefined, notice: Notice): boolean {
  if (notice.place < outage.began_with) return false;
  // Receipts may be understood out of turn: what was said to fire after this notice came fires by that.
  if (!notice.replayed && notice.place < (outage.said_with ?? "")) return false;
  const end = endOf(notice);
  // What this sender said of the outage before, said again, says nothing of this one.
  if (last !== undefined && last.outage < outage.outage && saysAgain(last, notice)) return false;
  const notices = timeOf(outage.began_with);
  // Without a start of its own only our clock says when it began, to which the sender's end says nothing.
  if (outage.starts_at < notices && outage.starts_at > end) return false;
  if (last === undefined || outage.of_call || last.outage > outage.outage) return true;
  if (outage.senders.includes(notice.sender)) return true;
  return last.ended_with === null || timeOf(last.ended_with) <= end;
}

/** What comes of a resolved notice. Pure. */
export function resolves({ open, last }: Known, notice: Notice): Ended {
  const firing = open.filter((one) => one.status === "firing");
  const over = firing.filter((one) => ends(one, last, notice));
  const held = open.find((one) => one.status === "held");
  const taken = held?.senders.includes(notice.sender) && notice.place > held.began_with ? held : undefined;
  // What ends nothing is of the outage before: a firing notice of this sender is no repetition any more.
  const late = over.length > 0 || last === undefined ? undefined : withEnding(last.ended_by, notice);
  return {
    ended: over.map((outage) => ({ outage, ended_by: endingBy(notice) })),
    held: taken && { outage: taken, senders: taken.senders.filter((one) => one !== notice.sender) },
    last: late === undefined || last === undefined ? undefined : { outage: last, ended_by: late },
  };
}
