import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SEED } from "../../test/support/random.ts";
import type { Role } from "../lib/actor.ts";
import { type RoleAssignment, standingOf } from "./standing.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 4, 4) + seconds * 1000);
const held = (
  from: number,
  until: number | null = null,
  role: Role = "approver",
  keeps = false,
): RoleAssignment => ({
  role,
  from: at(from),
  until: until === null ? null : at(until),
  keeps_signatures: keeps,
});
// Signed at 10, asked at 100, for what an approver signs.
const stands = (...tenures: RoleAssignment[]) => standingOf(tenures, "approver", at(10), at(100)).stands;

describe("who has signed", () => {
  it.each<[boolean, string, RoleAssignment[]]>([
    [true, "has the token still", [held(0)]],
    [true, "has another one", [held(0, 50), held(0)]],
    [true, "has changed tokens: the new one was there first", [held(0, 50), held(40, 80), held(70)]],
    [true, "has a higher role since", [held(0, 50), held(40, null, "admin")]],
    [true, "has left on good terms", [held(0, 50, "approver", true)]],
    [
      true,
      "lost one token and then left on good terms with another",
      [held(0, 50), held(0, 60, "approver", true)],
    ],
    [
      true,
      "has left on good terms, and only a lower role of theirs was revoked later",
      [held(0, 50, "approver", true), held(0, 60, "viewer")],
    ],
    [
      false,
      "gave one token back on good terms and lost another later",
      [held(0, 50, "approver", true), held(0, 60)],
    ],
    [true, "had lost another token before", [held(0, 5), held(4)]],
    [false, "has no token any more", [held(0, 50)]],
    [false, "lost it in the moment of asking", [held(0, 100)]],
    [false, "lost it in the moment of signing", [held(0, 10)]],
    [false, "never had one", []],
    [false, "has a lower role only", [held(0, 50), held(0, null, "responder")]],
    [
      false,
      "has a new one since all were revoked, for the old ones may have been stolen",
      [held(0, 50), held(60)],
    ],
    [false, "has a token only since then, as one that was configured again", [held(71)]],
    [false, "had left on good terms before that", [held(0, 5, "approver", true), held(6, 50)]],
    [false, "has left with a lower role on good terms", [held(0, 50), held(0, 60, "responder", true)]],
    [false, "lost the last of several", [held(0, 50), held(0, 60), held(0, 70)]],
  ])("counts: %s, who %s", (expected, _who, tenures) => {
    expect(stands(...tenures)).toBe(expected);
  });

  it("is told apart by why", () => {
    const why = (...tenures: RoleAssignment[]) => standingOf(tenures, "approver", at(10), at(100));
    expect(why(held(0, 50))).toMatchObject({ why: "all their tokens are revoked" });
    expect(why(held(0, 50), held(0, null, "viewer"))).toMatchObject({
      why: "they no longer have a token of the role approver",
    });
    expect(why(held(0, 50), held(60))).toMatchObject({
      why: "all their tokens were revoked after they signed",
    });
  });

  it("never counts with no token of the role that is live or kept, and always with one from before that is live", () => {
    const moment = fc.integer({ min: 0, max: 120 });
    const tenure = fc
      .record({
        from: moment,
        lasts: fc.option(fc.integer({ min: 0, max: 60 })),
        role: fc.constantFrom<Role>("viewer", "responder", "approver", "admin"),
        keeps: fc.boolean(),
      })
      .map(({ from, lasts, role, keeps }) =>
        held(from, lasts === null ? null : from + lasts, role, keeps && lasts !== null),
      );
    fc.assert(
      fc.property(fc.array(tenure, { maxLength: 6 }), (tenures) => {
        const able = tenures.filter(({ role }) => role === "approver" || role === "admin");
        const live = able.filter(({ until }) => until === null || until > at(100));
        if (live.length === 0 && !able.some((one) => one.keeps_signatures))
          expect(stands(...tenures)).toBe(false);
        if (live.some(({ from }) => from <= at(10))) expect(stands(...tenures)).toBe(true);
        // More tokens never take away what counts.
        if (stands(...tenures)) expect(stands(...tenures, held(0))).toBe(true);
      }),
      { seed: SEED },
    );
  });
});
