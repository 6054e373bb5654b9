import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../../test/support/random.ts";
import type { AlertNotice } from "../types.ts";
import { noticePlace } from "./decide.ts";
import { noticeBatches } from "./notice-batches.ts";

const AT = new Date("2026-05-04T08:00:00Z");
type Said = {
  alert?: string;
  status: "firing" | "resolved";
  sender?: string;
  call?: number;
  narrows?: string[];
  severity?: AlertNotice["severity"];
};
const notices = (said: readonly Said[]): AlertNotice[] =>
  said.map(({ alert = "a", status, sender = "s", call, narrows = [], severity = null }, index) => {
    const instance_key = call === undefined ? alert : `${alert}/${call}`;
    const place = noticePlace(AT, 1, index);
    const times = { starts_at: AT, ends_at: null, received_at: AT, times: 1 };
    return {
      ...{ identity: alert, instance_key, status, sender, place, ...times },
      ...{ of_call: call !== undefined, severity, narrows, start_known: false, replayed: false },
    } as AlertNotice;
  });
const shapes = (said: readonly Said[]) =>
  noticeBatches(notices(said)).map((batch) =>
    batch.map(({ status, folded = 0, times }) => [status, folded, times]),
  );
const turns = (count: number, first: Said["status"] = "firing") =>
  Array.from(
    { length: count },
    (_, n): Said => ({
      status: n % 2 === (first === "firing" ? 0 : 1) ? "firing" : "resolved",
    }),
  );

describe("what is said of one alert close together", () => {
  it("takes effect turn by turn where it turns a few times", () => {
    expect(shapes(turns(6))).toHaveLength(6);
    expect(shapes([...turns(2), ...turns(1), ...turns(1)])).toEqual([
      [["firing", 0, 1]],
      [["resolved", 0, 1]],
      [["firing", 0, 2]],
    ]);
  });

  it("is its beginning and its end where it turns often, with the outages between counted", () => {
    expect(shapes(turns(100))).toEqual([
      [["firing", 0, 1]],
      [["resolved", 0, 1]],
      [["firing", 48, 97]],
      [["resolved", 0, 1]],
    ]);
    expect(shapes(turns(101)).at(-1)).toEqual([["firing", 49, 99]]);
    expect(shapes(turns(100, "resolved")).at(-1)).toEqual([["firing", 48, 97]]);
    expect(shapes(turns(101, "resolved")).map((batch) => batch[0]?.[0])).toEqual([
      "resolved",
      "firing",
      "resolved",
    ]);
  });

  it("counts each call of a source that counts them", () => {
    const calls = Array.from({ length: 50 }, (_, n): Said[] => [
      { status: "firing", call: 3 * n },
      { status: "firing", call: 3 * n + 1 },
      { status: "resolved", call: 3 * n + 2 },
    ]).flat();
    const told = noticeBatches(notices(calls))
      .flat()
      .filter(({ status }) => status === "firing");
    expect(told.length + told.reduce((sum, { folded = 0 }) => sum + folded, 0)).toBe(100);
  });

  it("keeps for any alerts in turn what holds in the end, how often it was said and how often it began", () => {
    const said = fc.array(
      fc.record({
        alert: fc.constantFrom("a", "b"),
        status: fc.constantFrom("firing" as const, "resolved" as const),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(said, (all) => {
        const parts = noticeBatches(notices(all));
        expect(parts.length).toBeLessThanOrEqual(6);
        for (const alert of ["a", "b"]) {
          const own = all.filter((one) => one.alert === alert);
          const told = parts.flat().filter((one) => one.identity === alert);
          expect(told.at(-1)?.status).toBe(own.at(-1)?.status);
          expect(told.reduce((sum, { times }) => sum + times, 0)).toBe(own.length);
          const begun = (statuses: readonly string[]) =>
            statuses.filter((status, at) => status === "firing" && statuses[at - 1] !== "firing").length;
          const folded = told.reduce((sum, one) => sum + (one.folded ?? 0), 0);
          expect(begun(told.map(({ status }) => status)) + folded).toBe(
            begun(own.map(({ status }) => status)),
          );
        }
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("forgets nothing of what narrows, and no severity, however often it turns", () => {
    const notice = fc.record({
      status: fc.constantFrom("firing" as const, "firing" as const, "resolved" as const),
      sender: fc.constantFrom("s", "t"),
      narrows: fc.subarray(["auto_repair=false", "category=secops", "service=ledger", "incomplete"]),
      severity: fc.constantFrom("P0" as const, "P2" as const, null),
    });
    const firing = (all: readonly AlertNotice[]) => all.filter((one) => one.status === "firing");
    fc.assert(
      fc.property(fc.array(notice, { maxLength: 40 }), (said) => {
        const before = firing(notices(said));
        const after = firing(noticeBatches(notices(said)).flat());
        const narrows = (all: AlertNotice[]) => new Set(all.flatMap((one) => one.narrows));
        const worst = (all: AlertNotice[]) => all.flatMap((one) => one.severity ?? []).sort()[0];
        expect(narrows(after)).toEqual(narrows(before));
        expect(worst(after)).toBe(worst(before));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("costs no more than it is long, whoever sends it", () => {
    const many = Array.from(
      { length: 200_000 },
      (_, n): Said => ({
        alert: `a${n % 7}`,
        status: n % 3 ? "firing" : "resolved",
        sender: `s${n % 1_000}`,
      }),
    );
    expect(noticeBatches(notices(many)).length).toBeLessThanOrEqual(6);
  });
});

it("says now where it names no end, which another end in the same body does not replace", () => {
  const [begins, now, then] = notices([{ status: "firing" }, { status: "resolved" }, { status: "resolved" }]);
  const ends = { ...(then as AlertNotice), ends_at: AT };
  const parts = noticeBatches([begins as AlertNotice, now as AlertNotice, ends]);
  expect(parts.map((part) => part.map((one) => [one.status, one.ends_at]))).toEqual([
    [["firing", null]],
    [["resolved", null]],
    [["resolved", AT]],
  ]);
});
