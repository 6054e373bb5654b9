import { describe, expect, it } from "vitest";
import {
  applyFiring,
  applyResolved,
  type KnownOutages,
  type Notice,
  noticePlace,
  type Outage,
  senderOf,
} from "./decide.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 4, 4, 8, minute));
const place = (minute: number) => noticePlace(at(minute), minute, 0);
const notice = (minute: number, sender: string, more: Partial<Notice> = {}): Notice => ({
  status: "firing",
  starts_at: at(-60),
  start_known: true,
  ends_at: null,
  sender,
  place: place(minute),
  received_at: at(minute),
  replayed: false,
  ...more,
});
const outage = (more: Partial<Outage> = {}): Outage => ({
  alert_id: "ALT-1",
  outage: 1,
  status: "firing",
  of_call: false,
  starts_at: at(-60),
  began_with: place(0),
  ended_with: null,
  said_with: null,
  senders: ["a"],
  ended_by: {},
  ...more,
});
const over = (minute: number, ...senders: string[]): Outage =>
  outage({
    status: "resolved",
    ended_with: place(minute),
    ended_by: Object.fromEntries(
      senders.map((sender) => [sender, { place: place(minute), ends_at: at(minute).toISOString() }]),
    ),
  });
const held = (...senders: string[]) =>
  outage({ alert_id: "ALT-2", outage: 2, status: "held", began_with: place(12), senders });
const known = (last?: Outage, ...open: Outage[]): KnownOutages => ({ last, open });

describe("a firing notice", () => {
  it.each([
    ["of an alert that is not known is a new outage", known(), notice(1, "a"), "new"],
    [
      "while it fires is the same again, whoever sends it",
      known(undefined, outage()),
      notice(1, "b"),
      "again",
    ],
    ["of who said that it was over is a new outage", known(over(10, "a")), notice(11, "a"), "new"],
    ["of another is held", known(over(10, "a")), notice(11, "b"), "hold"],
    ["of whoever, where nothing more was heard, is a new outage", known(over(10)), notice(11, "b"), "new"],
    ["from before the end is old", known(over(10, "a")), notice(9, "b"), "old"],
    [
      "of who takes back its end begins what is held",
      known(over(10, "a"), held("b")),
      notice(13, "a"),
      "begin",
    ],
    ["of a third is held with the second's", known(over(10, "a"), held("b")), notice(13, "c"), "again"],
    ["from before its own sender's end is old", known(over(10, "a", "b")), notice(9, "b"), "old"],
  ])("%s", (_what, before, notices, kind) => {
    expect(applyFiring(before, notices).kind).toBe(kind);
  });

  it("adds its sender, of which there are eight at most", () => {
    const many = outage({ senders: Array.from({ length: 8 }, (_, n) => `s${n}`) });
    const fired = applyFiring(known(undefined, many), notice(1, "another"));
    expect(fired).toMatchObject({ senders: [...many.senders.slice(1), "another"] });
  });

  it("is late for its sender where that has told of an end since, and news for who has not", () => {
    const last = { ...over(10, "a"), ended_by: { ...over(10, "a").ended_by, ...over(20, "b").ended_by } };
    expect(applyFiring(known(last), notice(15, "b")).kind).toBe("old");
    expect(applyFiring(known(last), notice(15, "a")).kind).toBe("new");
  });
});

describe("a resolved notice", () => {
  const ended = (before: KnownOutages, minute: number, sender: string, more: Partial<Notice> = {}) =>
    applyResolved(before, notice(minute, sender, { status: "resolved", ...more })).ended.length;

  it("ends what began no later, by start or by when it was heard of", () => {
    const fire = known(undefined, outage({ starts_at: at(-5) }));
    expect(ended(fire, 5, "b", { ends_at: at(-4) })).toBe(1);
    expect(ended(fire, 5, "b", { ends_at: at(-10) })).toBe(0);
    expect(ended(fire, 5, "b")).toBe(1);
    // A start of its own at its end, as Grafana has it, and an end before its start.
    expect(ended(fire, 5, "a", { starts_at: at(4), ends_at: at(4) })).toBe(1);
    expect(ended(fire, 5, "a", { starts_at: at(4), ends_at: at(-20) })).toBe(1);
  });

  it("ends what has no start whatever the sender's clock says", () => {
    const fire = known(undefined, outage({ starts_at: at(0) }));
    expect(ended(fire, 5, "a", { starts_at: at(5), start_known: false, ends_at: at(-300) })).toBe(1);
  });

  it("does not end what began after it was received", () => {
    expect(ended(known(undefined, outage({ began_with: place(9) })), 5, "a")).toBe(0);
  });

  it("of a sender that did not say that it fires is of the outage before, where it tells of an earlier end", () => {
    const second = outage({ outage: 2, alert_id: "ALT-2", began_with: place(12) });
    const fire = known(over(10, "a"), second);
    expect(ended(fire, 15, "b", { ends_at: at(9) })).toBe(0);
    expect(ended(fire, 15, "b", { ends_at: at(14) })).toBe(1);
    expect(ended(fire, 15, "a", { ends_at: at(14) })).toBe(1);
  });

  it("said again of the outage before does not end the next", () => {
    const fire = known(over(10, "a"), outage({ outage: 2, alert_id: "ALT-2", began_with: place(12) }));
    expect(ended(fire, 15, "a", { ends_at: at(10) })).toBe(0);
    expect(ended(fire, 15, "a", { ends_at: at(9) })).toBe(0);
  });

  it("takes back what its sender holds, and nothing that another does", () => {
    const before = known(over(10, "a"), held("b", "c"));
    const said = (sender: string) => applyResolved(before, notice(14, sender, { status: "resolved" }));
    expect(said("b").held?.senders).toEqual(["c"]);
    expect(said("a").held).toBeUndefined();
    expect(Object.keys(said("b").last?.ended_by ?? {})).toEqual(["a", "b"]);
  });

  it("says nothing newer when it is sent again", () => {
    const last = over(10, "a");
    const again = notice(14, "a", { status: "resolved", ends_at: at(10) });
    expect(applyResolved(known(last), again).last?.ended_by).toEqual(last.ended_by);
  });
});

describe("a sender", () => {
  it("is its credential or address, and where the body says that it is found", () => {
    const names = [
      senderOf("x", undefined),
      senderOf("x", "http://a"),
      senderOf("x", "http://b"),
      senderOf("y", "http://a"),
    ];
    expect(new Set(names).size).toBe(4);
    expect(senderOf("x", "http://a")).toBe(names[1]);
  });
});

describe("a place", () => {
  it("sorts by receipt, and within one by place in the body", () => {
    const places = [
      noticePlace(at(0), 9, 0),
      noticePlace(at(0), 10, 0),
      noticePlace(at(0), 10, 2),
      noticePlace(at(0), 10, 10),
      noticePlace(at(1), 1, 0),
    ];
    expect([...places].reverse().sort()).toEqual(places);
  });
});
